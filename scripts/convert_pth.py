#!/usr/bin/env python3
"""Makes a safetensors file of a PyTorch state dict, for init.from.

usage: convert_pth.py INPUT.pth OUTPUT.safetensors

The names stay as they are, but for what training scripts wrap around them: an outer dictionary
("state_dict", "model", ...) and the prefix "module." of DataParallel. The file is read with
weights_only=True, so that nothing in it is executed. Needs the Python packages torch and
safetensors: pip install torch safetensors
"""

import os
import sys

# Outer keys of common training scripts, the best weights first.
WRAPPERS = ("model_ema", "state_dict_ema", "state_dict", "model_state_dict", "model", "net")
PREFIXES = ("module.", "_orig_mod.")


class ConversionError(Exception):
    """What the user is told; the text is one sentence."""


def unwrapped(content):
    """The dictionary of tensors inside whatever a training script saved around it."""
    if not isinstance(content, dict):
        raise ConversionError(
            f"holds a {type(content).__name__}, and not a dictionary of tensors; save it with "
            "torch.save(model.state_dict(), ...)")
    for key in WRAPPERS:
        if isinstance(content.get(key), dict):
            return unwrapped(content[key])
    return content


def plain_name(name):
    """A tensor's name without what wrappers of modules put before it."""
    stripped = True
    while stripped:
        stripped = False
        for prefix in PREFIXES:
            if name.startswith(prefix):
                name, stripped = name[len(prefix):], True
    return name


def plain_names(content, is_tensor):
    """{plain name: tensor}. Entries that are no tensors (an epoch, a version) are left out."""
    tensors = {}
    for name, value in unwrapped(content).items():
        if not isinstance(name, str) or not is_tensor(value):
            continue
        plain = plain_name(name)
        if not plain or plain in tensors:
            raise ConversionError(f"two tensors would be called '{plain}', one is '{name}'")
        tensors[plain] = value
    if not tensors:
        raise ConversionError("holds no tensors")
    return tensors


def convert(source, target):
    """Returns how many tensors were written. The target is there whole or not at all."""
    try:
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import save_file
    except ImportError as error:
        raise ConversionError(f"{error}; pip install torch safetensors") from error
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ConversionError(f"cannot be read: {error.strerror}") from error
    except Exception as error:  # whatever a foreign file makes the unpickler say
        first = str(error).strip().split("\n")[0]
        raise ConversionError(f"is no state dict that can be read safely: {first}") from error
    tensors = plain_names(content, torch.is_tensor)
    aside = f"{target}.part"
    try:
        # Tied weights share memory, which the format cannot say: each gets its own copy.
        tensors = {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}
        save_file(tensors, aside)
        os.replace(aside, target)
    except (RuntimeError, ValueError, SafetensorError) as error:
        raise ConversionError(f"cannot be written as '{target}': {error}") from error
    finally:
        if os.path.exists(aside):
            os.remove(aside)
    return len(tensors)


def main(arguments):
    if len(arguments) != 2 or arguments[0] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    source, target = arguments
    try:
        count = convert(source, target)
    except ConversionError as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"{target}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{target}: {count} tensors")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
