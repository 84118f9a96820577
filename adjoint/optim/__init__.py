"""Optimizers and schedules of their learning rates, as ``torch.optim``."""

from adjoint.optim import lr_scheduler
from adjoint.optim.adadelta import Adadelta
from adjoint.optim.adagrad import Adagrad
from adjoint.optim.adam import Adam, AdamW
from adjoint.optim.adamax import Adamax
from adjoint.optim.asgd import ASGD
from adjoint.optim.lbfgs import LBFGS
from adjoint.optim.nadam import NAdam
from adjoint.optim.optimizer import Optimizer
from adjoint.optim.radam import RAdam
from adjoint.optim.rmsprop import RMSprop
from adjoint.optim.rprop import Rprop
from adjoint.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]
