#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs README's section "Install" and tools/quickstart.sh in bare Debian systems.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/check_install.sh [OPTION]... [RELEASE]...

Makes bare systems of Debian releases (default: bookworm trixie bullseye) with debootstrap, and in
each runs tools/quickstart.sh and the commands that README.md has under "Install", as they are
written there. Each subsection has a system of its own. A line for each command, with its time.
The source tree is that of this clone, with its changes.

  --only TEXT    only subsections whose title has TEXT in it ("quickstart" is the script); may be
                 given several times. On bullseye only quickstart and "From source" are run.
  --list         print the titles of the subsections, and run nothing
  --folder DIR   where systems and logs are kept (default: build-install); a second run uses the
                 systems and the packages in DIR again
  --mirror URL   Debian's mirror (default: the one that this system's apt uses)

Needs root, debootstrap, python3, 2 GB, and the network. Systems are left as they were: what a run
does to them goes into a folder that is removed at its end, also when it fails or is stopped.
END
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
only=()
list=no
folder=$root/build-install
mirror=
releases=()
while [ $# -gt 0 ]; do
    case $1 in
    --only | --folder | --mirror)
        if [ $# -lt 2 ]; then
            echo "check_install.sh: $1 needs a value" >&2
            exit 2
        fi
        case $1 in
        --only) only+=("$2") ;;
        --folder) folder=$2 ;;
        --mirror) mirror=$2 ;;
        esac
        shift
        ;;
    --list) list=yes ;;
    -h | --help) usage; exit 0 ;;
    -*) echo "check_install.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
    *) releases+=("$1") ;;
    esac
    shift
done
[ ${#releases[@]} -gt 0 ] || releases=(bookworm trixie bullseye)

# The subsections, one a line.
titles() {
    echo quickstart
    sed -n '/^## Install$/,/^## /s/^### //p' "$root/README.md"
}

# The commands of a subsection.
commands() {
    if [ "$1" = quickstart ]; then
        echo tools/quickstart.sh
    else
        "$root/tools/snippets.py" "$root/README.md" "$1" sh
    fi
}

if [ $list = yes ]; then
    titles
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
    echo "check_install.sh: needs root and debootstrap" >&2
    exit 1
fi
if [ -z "$mirror" ]; then
    mirror=$(apt-get indextargets --format '$(SITE)|$(LABEL)' | sed -n 's/|Debian$//p' | sort -u)
    mirror=${mirror%%$'\n'*}
fi
mkdir -p "$folder/logs"
folder=$(cd "$folder" && pwd)
scratch=
child=

# One run at a time; what an earlier one could not remove goes first.
exec 9>"$folder/lock"
if ! flock -n 9; then
    echo "check_install.sh: another run uses $folder" >&2
    exit 1
fi
rm -rf "$folder"/new.* "$folder"/run.*

clean() {
    [ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true
    [ -z "$child" ] || wait "$child" 2>/dev/null || true
    if [ -n "$scratch" ]; then
        rm -rf "$scratch" 2>/dev/null || { sleep 1; rm -rf "$scratch"; }
    fi
    child= scratch=
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Runs a program in a PID namespace and a mount namespace of its own: processes and mounts end
# with it, and it with this script. Traps work while it runs.
apart() {
    local status=0
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child "$@" &
    child=$!
    wait "$child" || status=$?
    child=
    return $status
}

# Makes the bare system of release $1, unless it is there.
make_system() {
    [ ! -d "$folder/$1" ] || return 0
    scratch=$(mktemp -d "$folder/new.XXXXXX")
    apart debootstrap --variant=minbase "$1" "$scratch/system" ${mirror:+"$mirror"} \
        >"$folder/logs/$1.log" 2>&1 || return
    rm -f "$scratch"/system/var/cache/apt/archives/*.deb
    mv "$scratch/system" "$folder/$1"
    rm -rf "$scratch"
    scratch=
}

# Runs in namespaces of its own, in $scratch: $1 is the system, $2 has apt's packages.
enter='
set -e
mount -t overlay overlay -o "lowerdir=$1,upperdir=upper,workdir=work" system
mount --bind "$2" system/var/cache/apt/archives
mount -t proc proc system/proc
mount -t tmpfs tmpfs system/dev/shm
shift 2
exec chroot system /usr/bin/env -i LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" \
    sh -c "cd && exec bash ./run"
'

# Runs the file of commands in one shell, as a user would type them; fd 3 is the log.
cat_run() {
    cat <<'END'
cd ~/libpcr
try() {
    local began=$SECONDS status=0 shown
    shown=$(sed 's/  *#.*//' <<<"$1")
    printf '    %-64.64s' "$shown"
    printf '\n$ %s\n' "$1" >&3
    eval "$1" >&3 2>&3 </dev/null || status=$?
    if [ $status -ne 0 ]; then
        printf ' failed\n'
        exit 1
    fi
    printf '%5d s\n' $((SECONDS - began))
}
# What must hold after a command.
after() {
    case $1 in
    'meson install '*)
        try 'apt-get -qy install --no-install-recommends man-db cmake'
        try 'man -w libpcr pcr_dataset_open pcrtool-convert'
        cd samples
        try "$(sed -n 's/^ \*     \(cc .*\)/\1/p' write_dataset.c)"
        try './write_dataset ../photos.pcr'
        try "$(sed -n 's/^ \*     \(cc .*\)/\1/p' read_dataset.c)"
        try './read_dataset ../photos.pcr'
        cd ..
        ;;
    'cc '*'--static'*)
        try './program'
        try '! ldd program | grep libpcr'
        try 'cmake -G Ninja -B build-cmake && cmake --build build-cmake && build-cmake/program'
        ;;
    'cc '*) try './program' ;;
    'ninja '*' uninstall') try '! find /usr/local ! -type d -name "*pcr*" | grep .' ;;
    esac
}
while read -r line; do # joins lines that end with \
    [[ -n $line && $line != '#'* ]] || continue
    try "$line"
    after "$line"
done < <(sed -e ':again' -e '/\\$/{N;s/\\\n *//;b again' -e '}' ~/commands)
END
}

# Runs the commands of subsection $2 in a system of release $1.
run_section() {
    local name home debs=$folder/$1.debs inside=/build variable
    local given=("HOME=$inside")
    name=$1-$(tr -cs 'A-Za-z0-9\n' - <<<"$2")
    log=$folder/logs/$name.log
    scratch=$(mktemp -d "$folder/run.XXXXXX")
    home=$scratch/upper$inside
    mkdir -p "$debs/partial" "$scratch/system" "$scratch/work" "$home/libpcr" \
        "$scratch/upper/etc/dpkg/dpkg.cfg.d" "$scratch/upper/etc/apt/apt.conf.d"
    echo force-unsafe-io >"$scratch/upper/etc/dpkg/dpkg.cfg.d/no-sync"
    echo 'APT::Get::Assume-Yes "true";' >"$scratch/upper/etc/apt/apt.conf.d/yes"
    git -C "$root" ls-files -z --cached --others --exclude-standard |
        tar -C "$root" --null -T - --ignore-failed-read -c 2>/dev/null |
        tar -x -C "$home/libpcr" --no-same-owner
    git -C "$home/libpcr" init -q
    git -C "$home/libpcr" add -A
    "$root/tools/snippets.py" "$root/README.md" 'Use it' c >"$home/libpcr/program.c"
    "$root/tools/snippets.py" "$root/README.md" Install cmake >"$home/libpcr/CMakeLists.txt"
    commands "$2" >"$home/commands" || return
    cat_run >"$home/run"
    cp -L /etc/resolv.conf "$scratch/upper/etc/"
    # How this system reaches the network. The tree's own file of certificates is replaced when
    # packages are installed.
    for variable in http_proxy https_proxy no_proxy PIP_CERT PIP_INDEX_URL SSL_CERT_FILE; do
        [ -n "${!variable-}" ] || continue
        if [ -f "${!variable}" ]; then
            cp "${!variable}" "$home/$variable"
            given+=("$variable=$inside/$variable")
        else
            given+=("$variable=${!variable}")
        fi
    done
    local status=0
    apart sh -c "cd \"\$0\"; $enter" "$scratch" "../$1" "$debs" "${given[@]}" 3>"$log" || status=$?
    clean
    return $status
}

passed=0
failed=0
for release in "${releases[@]}"; do
    began=$SECONDS
    if ! make_system "$release"; then
        clean
        failed=$((failed + 1))
        echo "$release: no system: see $folder/logs/$release.log"
        tail -n 3 "$folder/logs/$release.log" | sed 's/^/    /'
        continue
    fi
    echo "$release: the bare system is there, $((SECONDS - began)) s"
    while read -r title; do
        chosen=no
        for text in "${only[@]-}"; do
            [[ $title != *"$text"* ]] || chosen=yes
        done
        [ $chosen = yes ] || continue
        case $release:$title in # the others are made on Debian 12 or later
        bullseye:quickstart | bullseye:'From source') ;;
        bullseye:*) continue ;;
        esac
        # setuptools there knows nothing of pyproject.toml.
        [ "$release $title" != 'bullseye Debian packages' ] || continue
        echo "  $title"
        began=$SECONDS
        if run_section "$release" "$title"; then
            passed=$((passed + 1))
            printf '    %-64s%5d s\n' 'in all' $((SECONDS - began))
        else
            failed=$((failed + 1))
            tail -n 30 "$log" | sed 's/^/        /'
            echo "    see $log"
        fi
    done < <(titles)
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
