"""(b) Bytes of every kind of file that is read, changed: cut, flipped, filled, spliced, lengthened."""

import gzip
import io
import json
import random
import struct
import zipfile
from pathlib import Path

import numpy as np

MUTATIONS = 200


def whole_files(folder: Path):
    """A right file of every kind, and how it is read: (name, file, reader)."""
    from PIL import Image
    from safetensors.torch import save_file

    import eigenclock as ec
    from eigenclock.data import load, load_labelled
    from eigenclock.files import load_yaml
    from eigenclock.jobs.run_folder import open_run
    from eigenclock.training.checkpoints import read_checkpoint, save_checkpoint
    from eigenclock.training.log import read_metrics

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 8, 8), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "a.npy", images)
    np.savez(folder / "a.npz", images)
    np.savez_compressed(folder / "packed.npz", images)
    head = struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape)
    (folder / "train-images-idx3-ubyte").write_bytes(head + images.tobytes())
    with gzip.open(folder / "train-images-idx3-ubyte.gz", "wb") as stream:
        stream.write(head + images.tobytes())
    spectrum = ec.Spectrum.from_samples(rng.standard_normal((9, 3)))
    spectrum.save(folder / "spectrum.nc")
    ec.predict(spectrum, time=[1.0, 10.0]).save(folder / "curve.nc")
    import torch

    network = torch.nn.Linear(2, 2)
    descent = torch.optim.Adam(network.parameters())
    save_checkpoint(folder / "checkpoint.safetensors", {"network": network}, descent, {"step": 3})
    save_file({"x": torch.ones(3)}, folder / "model.safetensors")
    (folder / "metrics.jsonl").write_text('{"step": 10, "loss": 1.5}\n{"step": 20, "loss": 1.0}\n')
    (folder / "config.yaml").write_text(
        "data: digits\nout: r\nnetwork:\n  class_path: eigenclock.MLP\n  init_args:\n    width: 8\n"
    )
    np.savez(folder / "labelled.npz", train_x=images, train_y=np.arange(6), test_x=images, test_y=np.arange(6))
    with zipfile.ZipFile(folder / "edm.zip", "w") as archive:
        for i, image in enumerate(images):
            content = io.BytesIO()
            Image.fromarray(image).save(content, "PNG")
            archive.writestr(f"00000/img{i:08}.png", content.getvalue())
        labels = [[f"00000/img{i:08}.png", i % 2] for i in range(len(images))]
        archive.writestr("dataset.json", json.dumps({"labels": labels}))

    def model(path):
        return ec.ScoreLatentDiffusion.load(path)

    def run(path):
        place = folder / "run"
        place.mkdir(exist_ok=True)
        (place / "config.yaml").write_text("{}")
        (place / "metrics.json").write_bytes(Path(path).read_bytes())
        return open_run(place).read_json("metrics.json")

    yield "npy", folder / "a.npy", load
    yield "npz", folder / "a.npz", load
    yield "compressed npz", folder / "packed.npz", load
    yield "idx", folder / "train-images-idx3-ubyte", load
    yield "idx.gz", folder / "train-images-idx3-ubyte.gz", load
    yield "spectrum", folder / "spectrum.nc", ec.Spectrum.load
    yield "curve", folder / "curve.nc", ec.LearningCurve.load
    yield "checkpoint", folder / "checkpoint.safetensors", read_checkpoint
    yield "model", folder / "model.safetensors", model
    yield "metrics", folder / "metrics.jsonl", lambda path: read_metrics(Path(path))
    yield "config", folder / "config.yaml", lambda path: load_yaml(read(path), "config")
    yield "labelled", folder / "labelled.npz", load_labelled
    yield "zip", folder / "edm.zip", load
    yield "json", folder / "metrics.jsonl", run
    for kind, options in IMAGES.items():
        place = folder / f"images-{kind}"
        place.mkdir(exist_ok=True)
        picture = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        picture.save(place / f"a.{kind}", **options)
        picture.save(place / f"b.{kind}", **options)
        yield f"image {kind}", place / f"a.{kind}", lambda path: load(str(Path(path).parent))


def read(path):
    from eigenclock.files import read_text

    return read_text(path, "config")


IMAGES = {
    "png": {}, "jpg": {}, "gif": {}, "bmp": {}, "webp": {}, "tiff": {}, "ppm": {}, "tga": {}, "ico": {"sizes": [(16, 16)]},
    "jp2": {}, "pcx": {}, "sgi": {}, "dds": {}, "qoi": {},
}  # fmt: skip


def mutated(content: bytes, seed: int) -> bytes:
    """The same bytes, changed in one of several ways."""
    chance = random.Random(seed)
    changed = bytearray(content)
    way = chance.randrange(6)
    if way == 0:
        return bytes(changed[: chance.randrange(len(changed))])
    if way == 1:
        for _ in range(chance.choice((1, 1, 2, 8, 64))):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    elif way == 2:
        at, size = chance.randrange(len(changed)), chance.choice((1, 4, 8, 64))
        changed[at : at + size] = bytes([chance.choice((0, 255))]) * size
    elif way == 3:
        at, to = sorted(chance.randrange(len(changed)) for _ in range(2))
        del changed[at:to]
    elif way == 4:
        at = chance.randrange(len(changed))
        changed[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 7, 100))))
    else:
        at = chance.randrange(len(changed))
        changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)
