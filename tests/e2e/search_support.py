"""What the tests of tbn-search share: a network, and calls that search by size unless they say otherwise."""

from tools_support import ToolTest

# A network with convolutions: two blocks, stem and classifier in integers.
NETWORK = ["model={type: resnet_small, channels: [16, 32], strides: [2, 2]}",
           "weights.rules=[{match: [conv1, classifier], encoding: uniform, bits: 8}]"]


def way(arguments):
    """Choices by size, unless the arguments choose another way."""
    return [] if {"--twin", "--dry-run", "--method", "--choices"} & set(arguments) else ["--method", "rule"]


class SearchTest(ToolTest):
    def search(self, *arguments, **options):
        return self.call("tbn-search", "--config", "tiny.yaml", *way(arguments), *arguments, **options)

    def found(self, *arguments):
        return self.call_json("tbn-search", "--config", "tiny.yaml", *way(arguments), *arguments)

    def ends(self, *arguments):
        space = self.found("--dry-run", *arguments)
        return space["least"], space["most"]

    def promise(self, config):
        """What tbn-train says of the file of a configuration."""
        return self.call_json("tbn-train", "--config", config, "--dry-run")
