"""The training behind `fashion_mnist_resnet18`: ResNet-18 in torch alone, for one channel.

He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016, table 1; weights
begin as torchvision's do. Why it is not torchvision's: docs/decisions/0012-image-objectives.md.
"""

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.functional import relu
from torch.optim import Adam

from bench.objective import Rank
from bench.objectives._epochs import EpochTraining

if TYPE_CHECKING:
    from bench.objectives.fashion_mnist_resnet18 import FashionMnistResnet18


class ResnetTraining(EpochTraining):
    """Adam, at a constant learning rate."""

    dataset = "fashion_mnist"

    def __init__(
        self,
        objective: "FashionMnistResnet18",
        configuration: dict[str, Any],
        seed: int,
        device: str,
        rank: Rank | None = None,
    ) -> None:
        sizes = objective.train_images, objective.validation_images
        batch_size = configuration["batch_size"]
        super().__init__(sizes, lambda: ResNet18(objective.width), batch_size, seed, device, rank)
        self.optimizer = Adam(self.network.parameters(), lr=configuration["lr"], fused=True)


class ResNet18(nn.Module):
    """From [n, 1, height, width] to the scores of ten classes [n, 10].

    The stem is the tutorial's for images of 28 by 28: 7 x 7, one channel, stride 1 (on ImageNet 2).
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, kernel_size=7, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        )
        blocks: list[nn.Module] = []
        channels = width
        for stage in range(4):
            for stride in (1 if stage == 0 else 2, 1):
                blocks.append(Block(channels, width << stage, stride))
                channels = width << stage
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
        for module in self.blocks.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.head(self.blocks(self.stem(images)))
        return scores


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, which is 1 x 1 where the shape changes."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(before, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or before != channels:
            projection = nn.Conv2d(before, channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(channels))

    def forward(self, images: Tensor) -> Tensor:
        return relu(self.residual(images) + self.shortcut(images))
