#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Compares libpcr with other loaders on a folder of JPEGs: README.md here tells how.
set -eu

usage() {
    cat <<'END'
Usage: run.sh [OPTION]... FOLDER [COUNT]

Compares loaders on COUNT (default 1000) images of FOLDER (class/file.jpg). It DOWNLOADS
the other loaders from the package index that pip is set up for, about 1.4 GB, into a
virtual environment of its own; nothing else is changed.

Options:
  --dir DIR        environment, datasets and results; default build-rivals/
  --build DIR      libpcr's release build; default build/
  --python PYTHON  makes the environment; default python3
  --only LIST      adapters, with commas: --only libpcr,webdataset
  --runs N         of each measurement, of which the least is taken; default 3
  --seconds S      least time of a measurement; default 2
  --throttle MB/S  let datasets be read no faster, as from slow storage; needs cc
  --limit-mb MB    skip what needs a larger download; default 1500
  --offline        install nothing; what is not there already is reported
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
dir=build-rivals
python=python3
options=
while [ $# -gt 0 ]; do
    case $1 in
        --dir) dir=$2; shift 2 ;;
        --python) python=$2; shift 2 ;;
        --build|--only|--runs|--seconds|--throttle|--limit-mb)
            options="$options $1 $2"; shift 2 ;;
        --offline) options="$options $1"; shift ;;
        -h|--help) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) break ;;
    esac
done
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    usage >&2
    exit 2
fi
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
[ -x "$dir/env/bin/python" ] || "$python" -m venv "$dir/env"
# $options holds words without blanks: names and numbers, and the build folder.
# shellcheck disable=SC2086
exec "$dir/env/bin/python" "$here/rivals.py" --root "$root" --dir "$dir" $options "$@"
