"""Fashion-MNIST and CIFAR-10 are kept as they are published, read as they are, or refused."""

import gzip
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from pictures import TELLING, idx, packed
from test_data import Memory

from bench import data
from bench.data import cifar10, fashion_mnist
from bench.data._sources import Mirror
from bench.errors import UserError


def test_fashion_mnist_is_read_as_it_was_written(clothes: Path) -> None:
    images, labels = fashion_mnist.load(clothes)
    assert images.shape == (6_600, 28, 28)
    assert images.dtype == labels.dtype == np.uint8
    for image, label in zip(images[:TELLING], labels[:TELLING], strict=True):
        assert (image[:, 2 * label] == 255).all()
    assert len(fashion_mnist.load(clothes, "test")[1]) == 10


def test_cifar10_is_read_as_it_was_written(things: Path) -> None:
    images, labels = cifar10.load(things)
    assert images.shape == (10_600, 3, 32, 32)
    assert images.dtype == labels.dtype == np.uint8
    for image, label in zip(images[:TELLING], labels[:TELLING], strict=True):
        assert (image[:, :, 2 * label] == 255).all()
    assert np.array_equal(cifar10.load(things, "test")[0], images[:10])


def test_a_record_of_cifar10_is_a_label_then_red_then_green_then_blue_by_rows(
    tmp_path: Path,
) -> None:
    record = bytes([7]) + bytes([1] * 1024) + bytes([2] * 1024) + bytes([*range(32)] * 32)
    (tmp_path / cifar10.ARCHIVE).write_bytes(packed({"test_batch.bin": record}))
    images, labels = cifar10.load(tmp_path, "test")
    assert labels.tolist() == [7]
    assert images[0, 0].tolist() == [[1] * 32] * 32
    assert images[0, 1].tolist() == [[2] * 32] * 32
    assert images[0, 2].tolist() == [[*range(32)]] * 32


def named(part: bytes | str) -> str:
    """What a case is called: never by gzip's bytes, which have the second in them."""
    return part if isinstance(part, str) else "file"


GOOD = bytes(3073)
TRAIN = {f"data_batch_{n}.bin": GOOD for n in range(1, 6)}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is not the archive that it should be"),
        (b"no archive", "is not the archive that it should be"),
        (packed(TRAIN)[:100], "is not the archive that it should be"),
        (packed({**TRAIN, "data_batch_3.bin": GOOD[:-1]}), "data_batch_3.bin has 3072 bytes"),
        (packed({**TRAIN, "data_batch_3.bin": b""}), "data_batch_3.bin has 0 bytes"),
        (packed({"data_batch_1.bin": GOOD}), r"has no data_batch_2.bin; legal: data_batch_1"),
        (packed({**TRAIN, "data_batch_1.bin": b"\x0a" + GOOD[1:]}), "a label is 10, legal: 0 to"),
    ],
    ids=named,
)
def test_a_cifar10_that_is_not_what_it_should_be_is_refused(
    content: bytes, complaint: str, tmp_path: Path
) -> None:
    (tmp_path / cifar10.ARCHIVE).write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        cifar10.load(tmp_path)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (idx(np.zeros((2, 28, 28))), "is not gzipped as it should be"),
        (gzip.compress(idx(np.zeros((2, 28, 28))))[:-9], "is not gzipped as it should be"),
        (gzip.compress(idx(np.zeros((2, 28, 28)))[:-1]), "but has 1567"),
    ],
    ids=named,
)
def test_a_fashion_mnist_that_is_not_what_it_should_be_is_refused(
    images: bytes, complaint: str, tmp_path: Path
) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(images)
    labels = gzip.compress(idx(np.zeros(2)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    with pytest.raises(UserError, match=complaint):
        fashion_mnist.load(tmp_path)


def test_what_is_published_gzipped_is_kept_so_and_its_checksum_is_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(TRAIN)
    sums = {cifar10.ARCHIVE: hashlib.sha256(archive).hexdigest()}
    monkeypatch.setattr(cifar10, "FILES", sums)
    monkeypatch.setattr(cifar10, "SOURCES", [Memory({cifar10.ARCHIVE: archive})])
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    folder = data.fetch("cifar10", progress=False)
    assert (folder / cifar10.ARCHIVE).read_bytes() == archive
    assert data.verify("cifar10") == folder


def test_a_mirror_is_asked_for_the_gzipped_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Answer(io.BytesIO):
        headers = {"Content-Length": "0"}  # noqa: RUF012

    def urlopen(address: str, timeout: float) -> Answer:
        asked.append(address)
        return Answer()

    monkeypatch.setattr("bench.data._sources.urlopen", urlopen)
    with Mirror("https://there").files() as open_file:
        open_file("plain")
        open_file("packed.tar.gz")
    assert asked == ["https://there/plain.gz", "https://there/packed.tar.gz"]


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10"])
def test_where_no_source_is_reached_one_line_says_what_to_put_where(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = {"fashion_mnist": fashion_mnist, "cifar10": cifar10}[name]
    monkeypatch.setattr(dataset, "SOURCES", [Mirror("http://127.0.0.1:9")])
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    with pytest.raises(UserError) as raised:
        data.fetch(name, progress=False)
    text = str(raised.value)
    assert "\n" not in text
    assert text.startswith(f"cannot fetch {name} (http://127.0.0.1:9: Connection refused)")
    assert f"copy {', '.join(dataset.FILES)} into {tmp_path / name}, or set BENCH_DATA" in text


@pytest.mark.parametrize(("name", "count"), [("fashion_mnist", 60_000), ("cifar10", 50_000)])
def test_the_real_images_are_as_many_of_each_class(name: str, count: int) -> None:
    if not (data.root() / name).exists():
        pytest.skip(f"no {name} in {data.root().absolute()}; `bench data {name}` fetches it")
    dataset = {"fashion_mnist": fashion_mnist, "cifar10": cifar10}[name]
    _, labels = dataset.load(data.verify(name))
    assert np.bincount(labels).tolist() == [count // 10] * 10
