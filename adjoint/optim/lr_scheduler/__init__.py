"""Schedules of learning rates, as ``torch.optim.lr_scheduler``."""

from adjoint.optim.lr_scheduler.base import LRScheduler
from adjoint.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from adjoint.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from adjoint.optim.lr_scheduler.cycles import CyclicLR
from adjoint.optim.lr_scheduler.factors import (
    ConstantLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from adjoint.optim.lr_scheduler.functions import LambdaLR, MultiplicativeLR
from adjoint.optim.lr_scheduler.one_cycle import OneCycleLR
from adjoint.optim.lr_scheduler.plateau import ReduceLROnPlateau

_LRScheduler = LRScheduler  # PyTorch's name before 2.0

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
