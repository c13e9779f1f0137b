#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Installs what building and testing libpcr needs, by apt.
set -euo pipefail

# role package: what it is for. tests/cli/deps.sh holds this list, meson.build and the
# table in README.md equal.
packages='
build  gcc              compiler
build  libc6-dev        compiler
build  meson            build system
build  ninja-build      build system
build  pkg-config       finds the libraries
build  libjpeg-dev      JPEG (libjpeg-turbo)
build  libpng-dev       PNG
build  zlib1g-dev       compressed text in PNG
build  liblcms2-dev     colour profiles
build  libzstd-dev      compression of heads
build  libxxhash-dev    checksums
build  libjansson-dev   JSON
build  liburing-dev     reading by io_uring (optional)
build  liblzma-dev      tar files compressed by xz (optional)
build  libwebp-dev      WebP (optional)
build  libtiff-dev      TIFF (optional)
python python3          the Python package and scripts
python python3-numpy    arrays of the Python package
python python3-venv     where the Python package is installed
build  check            unit tests, which are built with the rest
test   abigail-tools    the binary interface (optional)
test   git              the clean clone of .ci/run
test   g++              public headers in C++
test   universal-ctags  lengths of functions
test   python3-pil      an independent decoder
test   python3-pytest   tests of the Python package
test   python3-zstandard  reference reader
test   python3-xxhash   reference reader
test   python3-pip      tests of the wheel
test   python3-setuptools tests of the wheel
test   python3-wheel    tests of the wheel
test   mypy             types of the Python package
test   clang            a second compiler
test   cmake            the CMake package file (optional)
test   clang-format     layout of the C code (optional)
test   fonts-dejavu-core  lettering of the picture in README.md (optional)
fuzz   libclang-rt-dev  libFuzzer and its sanitizers
fuzz   llvm             readable sanitizer reports
wheel  dpkg-dev         sources of the libraries in the wheel
wheel  nasm             assembler for libjpeg-turbo
wheel  git              list of files
wheel  pkg-config       finds the libraries
wheel  python3-venv     the compiler and the tools of the wheel
debs   build-essential  Debian packages
debs   debhelper        Debian packages
debs   dh-python        Debian packages
debs   git              list of files
debs   python3          manual pages, and the Python package
debs   python3-setuptools description of the Python package
debs   python3-wheel    description of the Python package
coverage gcovr          which code the tests run
browser chromium         tests of pages in a browser
browser chromium-driver  tests of pages in a browser
'

usage() {
    cat <<'END'
usage: tools/deps.sh [--run | --fuzz | --coverage | --browser | --wheel | --debs]
                     [--list]

Installs by apt what is missing of the packages that libpcr needs.

  --run    only what building and running it needs, not what its tests need
  --fuzz   also what the fuzz targets need (tests/fuzz/run.sh)
  --coverage
           also what tools/coverage.sh needs
  --browser
           also what the tests of pages need (120 MB)
  --wheel  only what tools/wheel.sh needs
  --debs   only what tools/debs.sh needs
  --list   print the packages, one "ROLE PACKAGE" a line, and install nothing

Roles: build, python, test, fuzz, coverage, browser, wheel, debs.
END
}

roles='build python test'
list=no
for arg; do
    case $arg in
    --run) roles='build python' ;;
    --fuzz) roles='build python test fuzz' ;;
    --coverage) roles='build python test coverage' ;;
    --browser) roles='build python test browser' ;;
    --wheel) roles='wheel' ;;
    --debs) roles='build debs' ;;
    --list) list=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "deps.sh: unknown option $arg" >&2; usage >&2; exit 2 ;;
    esac
done

# Packages of the roles in $1, as "role package" lines.
select_packages() {
    local role package rest
    while read -r role package rest; do
        case " $1 " in
        *" ${role:-none} "*) echo "$role $package" ;;
        esac
    done <<<"$packages"
}

if [ $list = yes ]; then
    select_packages 'build python test fuzz coverage browser wheel debs'
    exit 0
fi

wanted=$(select_packages "$roles" | cut -d' ' -f2)
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    {
        echo "deps.sh: this system has no apt. Install what is called here in Debian's names:"
        echo "    " $wanted
        echo "then run meson setup build"
    } >&2
    exit 1
fi

missing=()
for package in $wanted; do
    state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "deps.sh: all packages are there"
    exit 0
fi
echo "deps.sh: installing ${missing[*]}"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps.sh: neither root nor sudo; as root, run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
"${apt[@]}" -q update
"${apt[@]}" -q install -y --no-install-recommends "${missing[@]}"
