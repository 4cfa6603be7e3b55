#!/usr/bin/env bash
# Downloads a data set from its public home, checks it, and puts it where tbn looks for it.
# Everything happens in a folder aside; the data set appears whole or not at all. A broken download
# is continued by the next call.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/download_data.sh NAME [FOLDER]

NAME    mnist (11 MB), fashion_mnist (30 MB), cifar10 (162 MB), cifar100 (161 MB)
FOLDER  where to put it; default: data/NAME

Fashion-MNIST is also a Debian package: apt-get install dataset-fashion-mnist
TEXT
}

die() {
  printf 'download_data: %s\n' "$*" >&2
  exit 1
}

# fetch URL FILE: downloads, continuing what an earlier call left.
fetch() {
  printf 'downloading %s\n' "$1"
  if command -v curl >/dev/null; then
    curl --fail --location --continue-at - --connect-timeout 20 --retry 2 --progress-bar \
      --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --continue --timeout=20 --tries=3 --no-verbose --output-document="$2" "$1"
  else
    die "neither curl nor wget is here; install one (apt-get install curl) and try again"
  fi
}

matches() {  # matches FILE MD5
  [[ -f $1 && $(md5sum <"$1" | cut -d ' ' -f 1) == "$2" ]]
}

# fetch_or_restart URL FILE: as fetch; where the server refuses to continue (curl 22, 33, 36; wget
# 8), what is there is of no use, and the download begins again.
fetch_or_restart() {
  local code=0
  fetch "$1" "$2" || code=$?
  case $code in
    0) return 0 ;;
    8 | 22 | 33 | 36) [[ -s $2 ]] && rm -f "$2" && fetch "$1" "$2" ;;
    *) return "$code" ;;
  esac
}

# get URL MD5: leaves the checked file in $aside under its own name.
get() {
  local file=$aside/${1##*/} partial=$aside/${1##*/}.partial
  if matches "$file" "$2"; then return; fi
  # An earlier call may have been stopped between the last byte and the check.
  if ! matches "$partial" "$2"; then
    fetch_or_restart "$1" "$partial" || die "cannot download $1; check the network and call this again (it" \
      "continues where it stopped), or put the files into $target by hand"
  fi
  if ! matches "$partial" "$2"; then
    rm -f "$partial"
    die "$1 arrived damaged (its MD5 is not $2) and was removed; call this again"
  fi
  mv "$partial" "$file"
}

# get_idx BASE MD5 MD5 MD5 MD5: the four files of an MNIST-like set; the readers open .gz as it is.
get_idx() {
  local base=$1 name
  shift
  for name in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    get "$base/$name-ubyte.gz" "$1"
    shift
  done
  mv "$aside"/*-ubyte.gz "$ready/"
}

get_cifar() {  # get_cifar URL MD5
  get "$1" "$2"
  printf 'unpacking %s\n' "${1##*/}"
  tar -xzf "$aside/${1##*/}" -C "$ready" --strip-components=1 --no-same-owner
}

case ${1-} in
  -h | --help) usage && exit 0 ;;
  mnist | fashion_mnist | cifar10 | cifar100) name=$1 ;;
  '') usage >&2 && exit 2 ;;
  *) printf 'download_data: unknown data set %q\n\n' "$1" >&2 && usage >&2 && exit 2 ;;
esac
if (($# > 2)); then usage >&2 && exit 2; fi

target=${2:-data/$name}
target=${target%/}
if [[ -e $target ]]; then
  if [[ -d $target && -z $(ls -A "$target") ]]; then
    rmdir "$target"
  else
    printf '%s is there already; remove it to download again\n' "$target"
    exit 0
  fi
fi
aside=$target.download
ready=$aside/ready
mkdir -p "$aside"
rm -rf "$ready"
mkdir "$ready"

case $name in
  mnist)
    get_idx https://ossci-datasets.s3.amazonaws.com/mnist \
      f68b3c2dcbeaaa9fbdd348bbdeb94873 d53e105ee54ea40749a09fcbcd1e9432 \
      9fb629c4189551a2d022fa330f9573f3 ec29112dd5afa0611ce80d1b7f02629c
    ;;
  fashion_mnist)
    get_idx http://fashion-mnist.s3-website.eu-central-1.amazonaws.com \
      8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe \
      bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310
    ;;
  cifar10)
    get_cifar https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz \
      c32a1d4ab5d03f1284b67883e8d87530
    ;;
  cifar100)
    get_cifar https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz \
      03b5dce01913d631647c71ecec9e9cb8
    ;;
esac

mv -T "$ready" "$target"
rm -rf "$aside"
printf '%s is in %s\n' "$name" "$target"
