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

get_tar() {  # get_tar URL MD5
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

get_zip() {  # get_zip URL MD5
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

get_ett() {  # get_ett FILE MD5
  get "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/$1" "$2"
  mv "$aside/$1" "$ready/"
}

imagenet_by_hand() {
  die "ImageNet needs an account: get ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar from" \
    "https://www.image-net.org/download.php and unpack them to data/imagenet/train/CLASS/*.JPEG" \
    "and data/imagenet/val/CLASS/*.JPEG, with the same 1000 folders n01440764 to n15075141 in both;" \
    "train/n02105855/n02105855_2933.JPEG is a PNG: convert it, or set data.on_error to skip"
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
      f68b3c2dcbeaaa9fbdd348bbdeb94873 d53e105ee54ea40749a09fcbcd1e9432 \
      9fb629c4189551a2d022fa330f9573f3 ec29112dd5afa0611ce80d1b7f02629c
    ;;
  fashion_mnist)
    get_idx http://fashion-mnist.s3-website.eu-central-1.amazonaws.com \
      8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe \
      bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310
    ;;
  cifar10)
    get_tar https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz \
      c32a1d4ab5d03f1284b67883e8d87530
    ;;
  cifar100)
    get_tar https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz \
      03b5dce01913d631647c71ecec9e9cb8
    ;;
  imagenette)
    get_tar https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz \
      3df6f0d01a2c9592104656642f5e78a3
    ;;
  tiny_imagenet)
    get_zip http://cs231n.stanford.edu/tiny-imagenet-200.zip 90528d7ca1a48142e341f4ef8d21d0de
    ;;
  etth1) get_ett ETTh1.csv 8381763947c85f4be6ac456c508460d6 ;;
  etth2) get_ett ETTh2.csv 51a229a3fc13579dd939364fefe9c7ab ;;
  ettm1) get_ett ETTm1.csv 82d6bd89109c63d075d99c1077b33f38 ;;
  ettm2) get_ett ETTm2.csv 7687e47825335860bf58bccb31be0c56 ;;
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
