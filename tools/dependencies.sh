# shellcheck shell=bash
# What tlsdyno needs from the distribution, and how to get it. Sourced by tools/demo, tools/check
# and bench/peers, which call
#
#     dependencies_ensure NO_INSTALL PURPOSE...
#
# with NO_INSTALL 1 to check only. Returns 0 when everything is there, 1 otherwise.

# One row a package: what it is for (peers: other people's clients and servers, for the tests and
# for bench/peers), then its name for apt, dnf and pacman. "a|b":
# either will do, the first is installed. "-": part of another package there.
readonly DEPENDENCIES_TABLE='
build  binutils                                  binutils                  binutils
build  gcc                                       gcc                       gcc
build  libc6-dev                                 glibc-devel               glibc
build  meson                                     meson                     meson
build  ninja-build                               ninja-build               ninja
build  pkgconf|pkg-config                        pkgconf-pkg-config        pkgconf
build  liburing-dev                              liburing-devel            liburing
build  libssl-dev                                openssl-devel             openssl
build  libsodium-dev                             libsodium-devel           libsodium
build  libjemalloc-dev                           jemalloc-devel            jemalloc
build  libjansson-dev                            jansson-devel             jansson
build  libmicrohttpd-dev                         libmicrohttpd-devel       libmicrohttpd
build  libcurl4-openssl-dev|libcurl4-gnutls-dev  libcurl-devel             curl
build  libseccomp-dev                            libseccomp-devel          libseccomp
build  libncurses-dev                            ncurses-devel             ncurses
build  python3                                   python3                   python
build  util-linux                                util-linux                util-linux
test   clang                                     clang                     clang
test   clang-tidy                                clang-tools-extra         -
test   cppcheck                                  cppcheck                  cppcheck
test   libcriterion-dev                          criterion-devel           criterion
test   -                                         libasan                   -
test   -                                         libubsan                  -
test   -                                         libtsan                   -
test   iproute2                                  iproute-tc                iproute2
test   gnutls-bin                                gnutls-utils              gnutls
test   gnuplot-nox                               gnuplot                   gnuplot
test   curl                                      curl                      curl
test   prometheus                                golang-github-prometheus  prometheus
test   libhiredis-dev                            hiredis-devel             hiredis
test   libopenmpi-dev                            openmpi-devel             openmpi
test   openmpi-bin                               -                         -
test   redis-server                              redis|valkey              redis|valkey
peers  openssl                                   openssl                   openssl
peers  nghttp2-client                            nghttp2                   nghttp2
peers  apache2-utils                             httpd-tools               apache
peers  nodejs                                    nodejs                    nodejs
peers  nginx                                     nginx                     nginx
peers  stunnel4                                  stunnel                   stunnel
peers  wrk                                       wrk                       wrk
peers  haproxy                                   haproxy                   haproxy
peers  libnss3-tools                             nss-tools                 nss
'

# Packages whose installation on Debian also enables a daemon that listens beyond loopback.
readonly DEPENDENCIES_DAEMONS='nginx prometheus haproxy redis-server stunnel4'

# What was just installed comes before what pyenv, nvm or conda put in the way, and the daemons
# are found by people who are not root.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
export PATH

dependencies_manager() {
    local manager
    for manager in apt-get dnf pacman; do
        if command -v "$manager" >/dev/null; then
            echo "$manager"
            return
        fi
    done
}

# Prints the alternatives ("a" or "a|b") that the purposes ask for, one a line.
dependencies_wanted() {
    local manager=$1 purpose apt dnf pacman name
    shift
    while read -r purpose apt dnf pacman; do
        [[ -n $purpose && " $* " == *" $purpose "* ]] || continue
        case $manager in
        apt-get) name=$apt ;;
        dnf) name=$dnf ;;
        pacman) name=$pacman ;;
        esac
        [[ $name == - ]] || echo "$name"
    done <<<"$DEPENDENCIES_TABLE"
}

dependencies_has() {
    local manager=$1 package=$2
    case $manager in
    apt-get) [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ;;
    dnf) rpm -q --quiet --whatprovides "$package" >/dev/null 2>&1 ;;
    pacman) pacman -T "$package" >/dev/null 2>&1 ;;
    esac
}

# Prints the packages to install, one a line.
dependencies_missing() {
    local manager=$1 alternatives package found
    local -a packages
    while read -r alternatives; do
        IFS='|' read -r -a packages <<<"$alternatives"
        found=
        for package in "${packages[@]}"; do
            if dependencies_has "$manager" "$package"; then
                found=1
            fi
        done
        [[ -n $found ]] || echo "${packages[0]}"
    done < <(dependencies_wanted "$@")
}

dependencies_command() {
    local manager=$1 sudo=
    shift
    [[ $EUID == 0 ]] || sudo='sudo '
    case $manager in
    apt-get)
        echo "${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends $*"
        ;;
    dnf) echo "${sudo}dnf install -y --setopt=install_weak_deps=False $*" ;;
    pacman) echo "${sudo}pacman -S --needed --noconfirm $*" ;;
    esac
}

# Debian starts a daemon as soon as it is installed, and again at each boot. The tests start their
# own copies on loopback, so for the time of the installation a policy says no (invoke-rc.d(8)), and
# afterwards the units of packages that were not there before are disabled.
# Runs as root, in a shell of its own: bash -c "$(declare -f ...); dependencies_apt_root ..."
dependencies_apt_root() {
    local daemons=$1 daemon policy=/usr/sbin/policy-rc.d
    shift
    export DEBIAN_FRONTEND=noninteractive
    if [[ ! -e $policy ]]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || return 1
    fi
    apt-get -o DPkg::Lock::Timeout=120 update || return 1
    apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@" || return 1
    if command -v systemctl >/dev/null; then
        for daemon in $daemons; do
            systemctl disable "$daemon" >/dev/null 2>&1 || true
        done
    fi
}

dependencies_install() {
    local manager=$1 package daemons=
    local -a as_root=()
    shift
    if [[ $EUID != 0 ]]; then
        if ! command -v sudo >/dev/null; then
            echo "Installing packages needs root and there is no sudo here. As root, run:" >&2
            echo "    $(dependencies_command "$manager" "$@" | sed 's/sudo //g')" >&2
            return 1
        fi
        echo "Not root: the packages are installed with sudo, which may ask for your password."
        as_root=(sudo)
    fi
    case $manager in
    apt-get)
        for package in "$@"; do
            [[ " $DEPENDENCIES_DAEMONS " == *" $package "* ]] && daemons+="$package "
        done
        "${as_root[@]}" bash -c "$(declare -f dependencies_apt_root)"'; dependencies_apt_root "$@"' \
            dependencies_apt_root "$daemons" "$@"
        ;;
    dnf) "${as_root[@]}" dnf install -y --setopt=install_weak_deps=False "$@" ;;
    pacman) "${as_root[@]}" pacman -S --needed --noconfirm "$@" ;;
    esac
}

dependencies_ensure() {
    local no_install=$1 manager
    local -a missing
    shift
    manager=$(dependencies_manager)
    if [[ -z $manager ]]; then
        echo "No apt-get, dnf or pacman here: install what tools/dependencies.sh lists by hand." >&2
        return 1
    fi
    mapfile -t missing < <(dependencies_missing "$manager" "$@")
    if ((${#missing[@]} == 0)); then
        echo "All packages are installed."
        return 0
    fi
    echo "Missing packages: ${missing[*]}"
    if [[ $no_install == 1 ]]; then
        echo "Install them with:"
        echo "    $(dependencies_command "$manager" "${missing[@]}")"
        return 1
    fi
    dependencies_install "$manager" "${missing[@]}" || return 1
    mapfile -t missing < <(dependencies_missing "$manager" "$@")
    if ((${#missing[@]} > 0)); then
        echo "Still missing after the installation: ${missing[*]}" >&2
        return 1
    fi
}

# The Python to run the project's scripts with.
dependencies_python() {
    if [[ -x /usr/bin/python3 ]]; then
        echo /usr/bin/python3
    else
        command -v python3
    fi
}
