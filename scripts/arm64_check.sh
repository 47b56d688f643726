#!/usr/bin/env bash
# Shows on a PC that what is installed on a Raspberry Pi runs on 64-bit Arm and reads as the PC does.
set -euo pipefail

readonly RELEASE=bookworm PYTHON_NAME=python3.11  # what Raspberry Pi OS 12 has
readonly MIRROR=${ARM64_MIRROR:-http://deb.debian.org/debian}
CACHE=$(realpath -m -- "${ARM64_CACHE:-$HOME/.cache/digits_tf-arm64}")
KEYRING=$(realpath -m -- "${ARM64_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}")
readonly CACHE KEYRING
SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly SCRIPTS
readonly CLONE=${SCRIPTS%/*}
readonly FRAMES=100  # of the demo

usage() {
  cat <<END
Installs the project's wheel in an emulated 64-bit Arm system (Debian 12, Python 3.11), reads the
demo, pictures and a batch of crops there, does the same on this PC, and compares.

  scripts/arm64_check.sh [--board 4|5] [--pictures FOLDER] [--json FILE] [--fresh] [pip|apt]...

  pip               NumPy, OpenCV and LiteRT are PyPI's
  apt               NumPy 1.24 and OpenCV 4.6 are Debian's, as beside picamera2; LiteRT is PyPI's
                    default: one after the other
  --board 4|5       the processor of a Raspberry Pi 4 (default) or 5
  --pictures FOLDER read these too
  --json FILE       write the result there
  --fresh           fetch and install everything anew

For Debian and Ubuntu on x86-64. Needs qemu-user-static and debian-archive-keyring, whose
installation is all that needs root, and this clone's .venv (make demo), or another Python that
reads digits, named by PYTHON. The first time it fetches about 350 MB. The system's package lists
and settings are left alone.

Everything is kept in ARM64_CACHE (default: ~/.cache/digits_tf-arm64). ARM64_MIRROR and
ARM64_KEYRING name another Debian mirror and the file with its keys. Exit code: 0 all alike, 1 not,
2 it could not be tried. It says nothing of a Raspberry Pi's speed.
END
}

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

say() {
  printf '[%4d s] %s\n' "$SECONDS" "$1" >&2
}

# --- what is needed on this PC

find_qemu() {
  # Debian 12 and Ubuntu 22.04 have the one name, later ones the other, linked statically too.
  command -v qemu-aarch64-static || command -v qemu-aarch64 ||
    fail "qemu is missing: sudo apt install qemu-user-static (where there is none: qemu-user)"
}

find_python() {
  local python=${PYTHON:-$CLONE/.venv/bin/python}
  "$python" -c 'import absl, ai_edge_litert, cv2, numpy' 2>/dev/null ||
    fail "$python does not read digits: make demo, or name another Python with PYTHON=..."
  # As an absolute path, but a virtual environment's own link.
  realpath -s -- "$(command -v -- "$python")"
}

check_tools() {
  local name
  for name in apt-get apt-config dpkg-deb tar; do
    command -v "$name" >/dev/null || fail "$name is missing: this needs Debian or Ubuntu"
  done
  [ -r "$KEYRING" ] ||
    fail "$KEYRING is missing: sudo apt install debian-archive-keyring (or set ARM64_KEYRING)"
}

# --- the Arm system

# An apt of its own: other lists, other settings, nothing known as installed.
set_up_apt() {
  local apt=$CACHE/debian
  mkdir -p "$apt"/etc/apt/{apt.conf.d,preferences.d} "$apt/var/cache/apt" \
    "$apt"/var/lib/{apt/lists/partial,dpkg}
  touch "$apt/var/lib/dpkg/status"
  printf 'deb [arch=arm64 signed-by=%s] %s %s main\n' "$KEYRING" "$MIRROR" "$RELEASE" \
    >"$apt/etc/apt/sources.list"
  # The way to the network is the system's.
  apt-config dump | grep -E '^Acquire::[a-z]+::[^ ]*(Proxy|CAInfo)' >"$apt/apt.conf" || true
  cat >>"$apt/apt.conf" <<END
Dir "$apt";
Dir::State::status "$apt/var/lib/dpkg/status";
#clear APT::Architectures;
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
END
}

arm_apt() {
  APT_CONFIG=$CACHE/debian/apt.conf apt-get -qq "$@"
}

# unpack FLAVOUR: the packages, without a chroot: their scripts do not run.
unpack() {
  local root=$CACHE/$1/root debs=$CACHE/$1/debs deb name
  # PyPI's wheels count on libstdc++, which every system has.
  local packages=(python3 python3-pip libstdc++6)
  [ "$1" = pip ] || packages+=(python3-numpy python3-opencv)
  rm -rf "${CACHE:?}/$1"
  mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/sbin" "$root/proc" "$debs/partial"
  for name in bin lib sbin; do ln -s "usr/$name" "$root/$name"; done
  arm_apt update || fail "the package lists of $MIRROR cannot be had (see above)"
  arm_apt -o Dir::Cache::archives="$debs" install --yes --download-only "${packages[@]}" ||
    fail "the packages cannot be had from $MIRROR (see above)"
  for deb in "$debs"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar --extract --keep-directory-symlink --directory "$root" \
      --no-same-owner
  done
  # What their scripts would have set up: which of several libraries is the one.
  for name in blas lapack; do
    deb=usr/lib/aarch64-linux-gnu/$name/lib$name.so.3
    [ ! -e "$root/$deb" ] || ln -sf "$name/lib$name.so.3" "$root/usr/lib/aarch64-linux-gnu/"
  done
  rm -r "$debs"
}

# LiteRT looks there for what the processor can do, and would find this PC's.
write_cpuinfo() {
  local features part
  case $board in
    4) features='fp asimd evtstrm crc32 cpuid' part=0xd08 ;;
    5) features='fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm'
       features+=' lrcpc dcpop asimddp' part=0xd0b ;;
  esac
  {
    printf 'processor\t: 0\nFeatures\t: %s\nCPU implementer\t: 0x41\n' "$features"
    printf 'CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: %s\nCPU revision\t: 3\n' "$part"
  } >"$CACHE/$1/root/proc/cpuinfo"
}

# arm FLAVOUR WORD...: Python of the virtual environment in that system.
arm() {
  local home=$CACHE/$1
  shift
  # The folders of this PC's own Python hold libraries for x86.
  env -u PYTHONHOME -u PYTHONPATH PYTHONNOUSERSITE=1 \
    "$qemu" -cpu "$cpu" -L "$home/root" "$home/venv/bin/python" "$@"
}

# install FLAVOUR: the wheel, as docs/raspberry-pi.md says, by that system's own pip.
install() {
  local home=$CACHE/$1 words=("${wheel}[headless]") pip
  # Without pip, as venv would start another Python, which is for another processor; apt's is seen.
  "$qemu" -cpu "$cpu" -L "$home/root" "$home/root/usr/bin/$PYTHON_NAME" \
    -m venv --system-site-packages --without-pip "$home/venv"
  if [ "$1" = apt ]; then
    words=("$wheel" "numpy==$(arm apt -c 'import numpy; print(numpy.__version__)')")
  fi
  pip=(-m pip install --quiet --disable-pip-version-check --only-binary=:all:)
  arm "$1" "${pip[@]}" "${words[@]}" || fail "pip cannot install ${words[*]} (see above)"
  # The same version may have other contents by now.
  arm "$1" "${pip[@]}" --force-reinstall --no-deps "$wheel" || fail "pip failed (see above)"
}

# --- reading

# measure NAME COMMAND...: reads everything with a Python; what comes out lies in the folder NAME.
measure() {
  local name=$1 out=$CACHE/out/$1 words=("$inputs/pictures")
  shift
  [ -z "$pictures" ] || words+=("$pictures")
  mkdir -p "$out"
  # Not in the clone, whose package Python would take instead of the installed one.
  cd "$out"
  say "$name: demo"
  quietly demo "$@" -m digits_tf.camera --tflite --headless --every_frame --frames "$FRAMES" \
    --source demo --record demo.mp4 >demo.jsonl
  say "$name: pictures"
  quietly pictures "$@" -m digits_tf.predict "${words[@]}" --json --crops crops >pictures.jsonl
  say "$name: models"
  quietly reading "$@" "$SCRIPTS/arm64_compare.py" read "$inputs" "$out" --frames "$FRAMES"
  cd "$CLONE"
}

# quietly STEP COMMAND...: what it says is shown only if it fails.
quietly() {
  local step=$1
  shift
  "$@" 2>"$step.log" || { cat "$step.log" >&2; fail "$step failed (see above)"; }
}

# pc WORD...: this PC's Python with the same wheel.
pc() {
  env PYTHONPATH="$CACHE/pc" "$python" "$@"
}

main() {
  local flavours=() board=4 pictures='' json=() fresh='' qemu python cpu wheel inputs=$CACHE/inputs
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --board) board=${2:-}; shift ;;
      --pictures) pictures=$(realpath -e -- "${2:-}") || exit 2; shift ;;
      --json) json=(--json "$(realpath -m -- "${2:-}")"); shift ;;
      --fresh) fresh=1 ;;
      pip | apt) flavours+=("$1") ;;
      *) fail "did not expect $1 (--help shows how)" ;;
    esac
    shift || fail "expected more words at the end (--help shows how)"
  done
  case $board in
    4) cpu=cortex-a72 ;;
    5) cpu=cortex-a76 ;;
    *) fail "--board: expected 4 or 5, found '$board'" ;;
  esac
  [ ${#flavours[@]} -gt 0 ] || flavours=(pip apt)
  check_tools
  qemu=$(find_qemu)
  python=$(find_python)

  [ -z "$fresh" ] || rm -rf "${CACHE:?}"/{apt,debian,pip}
  rm -rf "$CACHE"/{out,inputs,wheel,pc}
  mkdir -p "$CACHE/wheel"
  say "the project's wheel"
  "$python" -m pip wheel --quiet --no-deps --wheel-dir "$CACHE/wheel" "$CLONE" ||
    fail "the wheel cannot be built (see above)"
  wheel=$(echo "$CACHE"/wheel/*.whl)
  "$python" -m pip install --quiet --no-deps --target "$CACHE/pc" "$wheel"
  pc "$SCRIPTS/arm64_compare.py" inputs "$inputs"
  measure pc pc

  local flavour
  for flavour in "${flavours[@]}"; do
    if [ ! -e "$CACHE/$flavour/complete" ]; then
      say "$flavour: fetching and unpacking Debian's packages"
      set_up_apt
      unpack "$flavour"
      touch "$CACHE/$flavour/complete"
    fi
    write_cpuinfo "$flavour"
    say "$flavour: installing"
    install "$flavour"
    measure "$flavour" arm "$flavour"
  done
  pc "$SCRIPTS/arm64_compare.py" compare "$CACHE/out" "${flavours[@]}" "${json[@]}"
}

# So that its functions can be tried one by one.
[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
