#!/usr/bin/env bash
# Downloads a data set from its public home, checks it, and puts it where tbn looks for it.
# Everything happens in a folder aside; the data set appears whole or not at all. A broken download
# is continued by the next call.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/download_data.sh NAME [FOLDER]

NAME    mnist (11 MB), fashion_mnist (30 MB), cifar10 (162 MB), cifar100 (161 MB),
        imagenette (342 MB), tiny_imagenet (248 MB),
        etth1, etth2 (3 MB), ettm1, ettm2 (10 MB),
        modelnet40 (435 MB), shapenet_part (346 MB), s3dis (1.6 GB)
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

# SHA-256, and MD5 (32 digits) where its owners have published no other: that finds damage, and an
# exchange only by someone who does not mean to deceive.
kind_of() { if ((${#1} == 64)); then echo SHA-256; else echo MD5; fi; }

matches() {  # matches FILE CHECKSUM
  local sum=sha256sum
  if ((${#2} == 32)); then sum=md5sum; fi
  [[ -f $1 && $($sum <"$1" | cut -d ' ' -f 1) == "$2" ]]
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

# get URL CHECKSUM: leaves the checked file in $aside under its own name.
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
    die "$1 arrived damaged (its $(kind_of "$2") is not $2) and was removed; call this again"
  fi
  mv "$partial" "$file"
}

# get_idx BASE CHECKSUM...: the four files of an MNIST-like set; the readers open .gz as it is.
get_idx() {
  local base=$1 name
  shift
  for name in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    get "$base/$name-ubyte.gz" "$1"
    shift
  done
  mv "$aside"/*-ubyte.gz "$ready/"
}

get_tar() {  # get_tar URL CHECKSUM
  get "$1" "$2"
  printf 'unpacking %s\n' "${1##*/}"
  tar -xzf "$aside/${1##*/}" -C "$ready" --strip-components=1 --no-same-owner
}

unpack_zip() {  # unpack_zip FILE: an archive with one folder at its top; checks each file's CRC-32
  command -v python3 >/dev/null ||
    die "python3, which unpacks ${1##*/}, is not here; install it (apt-get install python3)"
  printf 'unpacking %s\n' "${1##*/}"
  rm -rf "$aside/unpacked"
  python3 -m zipfile -e "$1" "$aside/unpacked" || return 1
  rm -rf "$aside/unpacked/__MACOSX"
  rmdir "$ready"
  mv -T "$aside/unpacked"/* "$ready"
}

get_zip() {  # get_zip URL CHECKSUM
  get "$1" "$2"
  unpack_zip "$aside/${1##*/}"
}

# get_zip_by_crc URL: where no checksum of the archive is known, its own CRC-32 of each file is held
# against what was unpacked: that finds damage, not exchange.
get_zip_by_crc() {
  local file=$aside/${1##*/}
  fetch_or_restart "$1" "$file" || die "cannot download $1; check the network and call this again (it" \
    "continues where it stopped), or put the files into $target by hand"
  unpack_zip "$file" || {
    rm -f "$file"
    die "$1 arrived damaged (it cannot be unpacked) and was removed; call this again"
  }
}

get_ett() {  # get_ett FILE CHECKSUM
  get "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/$1" "$2"
  mv "$aside/$1" "$ready/"
}

imagenet_by_hand() {
  die "ImageNet needs an account: get ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar from" \
    "https://www.image-net.org/download.php and unpack them to data/imagenet/train/CLASS/*.JPEG" \
    "and data/imagenet/val/CLASS/*.JPEG, with the same 1000 folders n01440764 to n15075141 in both"
}

# Arranged tables that lie in shared folders, without an address that a script can rely on.
only_by_hand() {
  die "$1.csv is shared by the authors of Autoformer: see 'Get Started' in the README of" \
    "https://github.com/thuml/Autoformer, and put $1.csv into data/$1"
}

case ${1-} in
  -h | --help) usage && exit 0 ;;
  mnist | fashion_mnist | cifar10 | cifar100 | imagenette | tiny_imagenet) name=$1 ;;
  imagenet) imagenet_by_hand ;;
  etth1 | etth2 | ettm1 | ettm2) name=$1 ;;
  modelnet40 | shapenet_part | s3dis) name=$1 ;;
  weather | electricity | traffic | exchange_rate) only_by_hand "$1" ;;
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
      440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 \
      3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c \
      8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6 \
      f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6
    ;;
  fashion_mnist)
    get_idx http://fashion-mnist.s3-website.eu-central-1.amazonaws.com \
      3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84 \
      a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845 \
      346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073 \
      67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5
    ;;
  cifar10)
    get_tar https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz \
      c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd
    ;;
  cifar100)
    get_tar https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz \
      58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec
    ;;
  imagenette)
    get_tar https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz \
      569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c
    ;;
  tiny_imagenet)
    get_zip http://cs231n.stanford.edu/tiny-imagenet-200.zip \
      6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821
    ;;
  etth1) get_ett ETTh1.csv f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066 ;;
  etth2) get_ett ETTh2.csv a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b ;;
  ettm1) get_ett ETTm1.csv 6ce1759b1a18e3328421d5d75fadcb316c449fcd7cec32820c8dafda71986c9e ;;
  ettm2) get_ett ETTm2.csv db973ca252c6410a30d0469b13d696cf919648d0f3fd588c60f03fdbdbadd1fd ;;
  modelnet40)
    get_zip https://shapenet.cs.stanford.edu/media/modelnet40_ply_hdf5_2048.zip \
      c9ab8e6dfb16f67afdab25e155c79e59
    ;;
  shapenet_part)
    get_zip_by_crc https://shapenet.cs.stanford.edu/media/shapenet_part_seg_hdf5_data.zip
    ;;
  s3dis) get_zip_by_crc https://shapenet.cs.stanford.edu/media/indoor3d_sem_seg_hdf5_data.zip ;;
esac

mv -T "$ready" "$target"
rm -rf "$aside"
printf '%s is in %s\n' "$name" "$target"
