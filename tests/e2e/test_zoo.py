"""Every network of the zoo, the whole way from YAML: trained by tbn-train, evaluated, exported, and
run packed with the same metrics."""

import math

from tools_support import ToolTest, main

WEIGHTS = """\
weights:
  encoding: tiled
  p: 4
  rules: %s
optim: {type: adam, lr: 3e-3}
train: {epochs: 1, batch_size: 20, device: cpu, threads: 1, deterministic: true}
"""

IMAGES = "{name: fashion_mnist, root: data, validation: 40, train_limit: 80}"
CLOUDS = "{name: %s, validation: 20, train_limit: 40, points: {count: 32}}"
SCENES = "{name: s3dis, root: scenes, validation: 10, points: {count: 32}}"
SERIES = "{name: csv, root: series.csv, series: {window: 24, horizon: 8}}"

VIT = "dim: 32, depth: 2, heads: 2, head_dim: 16, mlp: 48"
SWIN = "dim: 16, depths: [2, 2], heads: [2, 4], head_dim: 8, window: 7"

# PointNet's transforms start at the identity, which no tile can give; its last layer has few outputs.
KEPT = '[{match: ["*transform.fc3", classifier], encoding: float}]'

# name, model, data
NETWORKS = [
    ("mlp", "{type: mlp, hidden: [32]}", IMAGES),
    ("vgg_small", "{type: vgg_small, width: 0.125}", IMAGES),
    ("resnet_small", "{type: resnet_small, width: 0.25}", IMAGES),
    ("resnet18", "{type: resnet18, width: 0.125}", IMAGES),
    ("resnet34", "{type: resnet34, width: 0.125, stem: imagenet}", IMAGES),
    ("resnet50", "{type: resnet50, width: 0.125, stem: imagenet}", IMAGES),
    ("convmixer", "{type: convmixer, dim: 16, depth: 2, kernel: 5, patch: 4}", IMAGES),
    ("mlp_mixer", "{type: mlp_mixer, dim: 32, depth: 2, token_dim: 16, channel_dim: 64}", IMAGES),
    ("vit", "{type: vit, patch: 4, %s}" % VIT, IMAGES),
    ("vit_tiny", "{type: vit_tiny, patch: 7, pool: mean, qkv: separate, %s}" % VIT, IMAGES),
    ("vit_imagenet", "{type: vit_imagenet, patch: 14, %s}" % VIT, IMAGES),
    ("swin_t", "{type: swin_t, downscale: [2, 2], %s}" % SWIN, IMAGES),
    ("swin_t_imagenet", "{type: swin_t_imagenet, downscale: [4, 1], %s}" % SWIN, IMAGES),
    ("pointnet", "{type: pointnet, width: 0.125}", CLOUDS % "shapes"),
    ("pointnet_part_seg", "{type: pointnet_part_seg, width: 0.125}", CLOUDS % "shape_parts"),
    ("pointnet_sem_seg", "{type: pointnet_sem_seg, width: 0.125}", SCENES),
    ("series_transformer", "{type: series_transformer, dim: 16, mlp: 32}", SERIES),
    ("itransformer", "{type: itransformer, dim: 16, mlp: 32}", SERIES),
    ("tsmixer", "{type: tsmixer, depth: 2, hidden: 16}", SERIES),
    ("dlinear", "{type: dlinear, kernel: 5}", SERIES),
    ("custom", "{type: custom, layers: [{conv2d: {out_channels: 16, kernel: 3}}, batch_norm, relu, "
               "{residual: {layers: [{conv2d: {out_channels: 16, kernel: 3}}, batch_norm]}}, "
               "global_avg_pool, {linear: {out_features: classes, name: classifier}}]}", IMAGES),
]

# What runs on microcontrollers; the others are refused by an op or by their floats.
ON_MICROCONTROLLERS = {"mlp", "vgg_small", "resnet_small", "resnet18", "resnet34", "resnet50",
                       "convmixer", "custom"}

# What each task is judged by, in the order of preference.
METRICS = ("top1", "instance_miou", "miou", "mse")


def write_series(path):
    """Six columns of sines with periods of their own, and a date."""
    rows = ["date," + ",".join(f"c{i}" for i in range(6))]
    for t in range(600):
        rows.append(f"{t}," + ",".join(f"{math.sin(2 * math.pi * t / (6 + 3 * i)):.6f}"
                                       for i in range(6)))
    path.write_text("\n".join(rows) + "\n")


def write_scenes(folder):
    """Blocks of rooms as HDF5 files, written by the format's own library: the label is the height."""
    import h5py
    import numpy
    folder.mkdir()
    rng = numpy.random.default_rng(1)
    rooms = []
    for number, area in enumerate((1, 5)):
        points = rng.random((40, 32, 9), dtype=numpy.float32)
        with h5py.File(folder / f"ply_data_all_{number}.h5", "w") as file:
            file.create_dataset("data", data=points, compression="gzip")
            file.create_dataset("label", data=(points[:, :, 2] * 13).astype("u1"))
        rooms += [f"Area_{area}_office_1"] * 40
    (folder / "room_filelist.txt").write_text("\n".join(rooms) + "\n")


class Zoo(ToolTest):
    train_images = 120

    def whole_way(self, name, model, data):
        file = self.folder / f"{name}.yaml"
        file.write_text(f"name: {name}\nmodel: {model}\ndata: {data}\n"
                        + WEIGHTS % (KEPT if "pointnet" in name else "[]"))
        self.call("tbn-train", "--config", file)
        trained = self.call_json("tbn-eval", f"runs/{name}")["metrics"]
        self.call("tbn-export", f"runs/{name}", "-o", f"{name}.tbn")
        layers = self.call_json("tbn-inspect", f"{name}.tbn")["layers"]
        self.assertTrue(any(layer["p"] == 4 for layer in layers), "no layer is tiled")
        root = {IMAGES: "data", SCENES: "scenes", SERIES: "series.csv"}.get(data)
        packed = self.call_json("tbn-eval", f"{name}.tbn",
                                *(["--root", root] if root else []))["metrics"]
        metric = next(m for m in METRICS if m in trained)
        self.assertAlmostEqual(packed[metric], trained[metric], places=3)
        self.assertAlmostEqual(packed["loss"], trained["loss"], places=3)
        self.as_c(name)

    def as_c(self, name):
        for form in ("int8", "f32"):
            to = self.folder / f"{name}_{form}"
            calibration = ["--calibrate", 8] if form == "int8" else []
            done = self.call("tbn-export", f"runs/{name}", "--format", "c", "--form", form, "-o", to,
                             *calibration, code=0 if name in ON_MICROCONTROLLERS else 2)
            if name not in ON_MICROCONTROLLERS:
                self.assertRegex(done.stderr, "microcontrollers run|takes floats")
                self.assertFalse(to.exists())
            else:
                self.assertTrue((to / "model.c").exists())

    def test_every_network_trains_is_evaluated_exported_and_runs_packed(self):
        write_series(self.folder / "series.csv")
        write_scenes(self.folder / "scenes")
        for name, model, data in NETWORKS:
            with self.subTest(network=name):
                self.whole_way(name, model, data)

    def test_the_table_names_every_network_of_the_zoo(self):
        listed = self.call("tbn-train", "--config", "tiny.yaml", "model={type: nothing}",
                           code=2).stderr
        names = listed.split("must be ", 1)[1].split(", is 'nothing'")[0].replace(" or ", ", ")
        self.assertEqual(sorted(names.split(", ")),
                         sorted(name for name, _, _ in NETWORKS))


if __name__ == "__main__":
    main()
