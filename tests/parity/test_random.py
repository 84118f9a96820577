"""Random numbers against PyTorch's: every way to ask for them, and what they leave behind."""

from __future__ import annotations

import random

import pytest

import adjoint
from tests.parity.expressions import expressions, outcome, same, torch

SETUP = """
vmap = torch.func.vmap
two = lambda b: torch.rand(2)
half = torch.full((2,), 0.5)
halves = torch.full((3, 2), 0.5)
x = torch.arange(6.0).reshape(2, 3)
xr = torch.ones(2, 3, requires_grad=True)
i = torch.arange(6).reshape(2, 3)
g = torch.Generator()
_ = torch.manual_seed(0)
"""
CALLS = expressions(r"""
torch.rand(2,3)
torch.rand((2,3))
torch.rand([])
torch.rand(-1)
torch.rand(2,dtype=torch.int64)
torch.rand(2,dtype=torch.complex64)
torch.rand(2,dtype=torch.bfloat16)
torch.rand(2,generator=torch.Generator().manual_seed(1))
torch.rand(2,generator=None)
torch.rand(2,generator=3)
torch.rand(2,requires_grad=True)
torch.rand(2.5)
torch.randn(2,dtype=torch.int64)
torch.randn(2,dtype=torch.complex64)
torch.randint(10,(2,))
torch.randint(3,10,(2,))
torch.randint(10,(2,),dtype=torch.float32)
torch.randint(0,10,(2,),dtype=torch.bool)
torch.randint(0,2,(2,),dtype=torch.bool)
torch.randint(10,3,(2,))
torch.randint(0,300,(2,),dtype=torch.uint8)
torch.randint(low=0,high=3,size=(2,))
torch.randint(high=3,size=(2,))
torch.randint(3,(2,),requires_grad=True)
torch.randint(3,(2,),dtype=torch.float32,requires_grad=True)
torch.randint(3.5,(2,))
torch.randint(3,2)
torch.randint(torch.tensor(3),(2,))
torch.randperm(5)
torch.randperm(0)
torch.randperm(-1)
torch.randperm(5,dtype=torch.float32)
torch.randperm(5,dtype=torch.float16)
torch.randperm(300,dtype=torch.uint8)
torch.randperm(2.5)
torch.randperm(5,requires_grad=True)
torch.normal(0.,1.,(2,))
torch.normal(0,1,(2,))
torch.normal(0,1,2)
torch.normal(0,1)
torch.normal(torch.zeros(2),1.)
torch.normal(0.,torch.ones(2))
torch.normal(torch.zeros(2),torch.ones(2))
torch.normal(torch.zeros(2,1),torch.ones(3))
torch.normal(torch.zeros(2))
torch.normal(mean=torch.zeros(2),std=2.)
torch.normal(mean=0.5,std=torch.ones(2))
torch.normal(0.,-1.,(2,))
torch.normal(torch.zeros(2),-1.)
torch.normal(torch.zeros(2),-torch.ones(2))
torch.normal(torch.zeros(2,dtype=torch.int64),1.)
torch.normal(torch.zeros(2),torch.ones(2,dtype=torch.float64))
torch.normal(torch.zeros(2,dtype=torch.complex64),1.)
torch.normal(torch.zeros(2,requires_grad=True),1.)
torch.normal(torch.zeros(2,requires_grad=True),torch.ones(2,requires_grad=True))
torch.normal(0.,1.,(2,),dtype=torch.float64)
torch.normal(0.,1.,(2,),dtype=torch.int64)
torch.normal(0.,1.,(2,),requires_grad=True)
torch.normal(torch.zeros(2),torch.ones(3))
torch.bernoulli(torch.full((4,),0.5))
torch.poisson(torch.linspace(0,60,50))
torch.poisson(torch.linspace(0,60,50).double())
torch.poisson(torch.linspace(0,60,50).half())
torch.poisson(torch.linspace(0,60,50).reshape(5,10).T)
torch.poisson(torch.tensor([1e4,0.,1e-3]))
torch.poisson(torch.full((4,),2.,requires_grad=True))
torch.poisson(torch.full((4,),-1.))
torch.poisson(torch.full((4,),float('nan')))
torch.bernoulli(torch.full((4,),0.5,requires_grad=True))
torch.bernoulli(torch.full((4,),1.5))
torch.bernoulli(torch.ones(4,dtype=torch.int64))
torch.bernoulli(torch.ones(4,dtype=torch.bool))
torch.bernoulli(torch.zeros(4),0.5)
torch.bernoulli(torch.zeros(4,dtype=torch.int64),0.5)
torch.bernoulli(torch.zeros(4),p=1.5)
torch.bernoulli(torch.zeros(4,dtype=torch.complex64))
torch.zeros(4).bernoulli()
torch.zeros(4).bernoulli_(0.5)
torch.zeros(4).bernoulli_()
torch.zeros(4).bernoulli_(torch.full((4,),.5))
torch.zeros(4,dtype=torch.int64).bernoulli_(0.5)
torch.zeros(4,dtype=torch.int64).bernoulli_(torch.full((4,),.5))
torch.zeros(4).bernoulli_(half)
torch.zeros(2,4).bernoulli_(torch.full((4,),.5))
torch.zeros(4).bernoulli_(1.5)
torch.zeros(4,dtype=torch.bool).bernoulli_(0.5)
torch.zeros(4,dtype=torch.complex64).bernoulli_(0.5)
torch.multinomial(torch.tensor([0.1,0.9]),1)
torch.multinomial(torch.tensor([0.1,0.9]),5,True)
torch.multinomial(torch.tensor([0.1,0.9]),5)
torch.multinomial(torch.tensor([1,9]),1)
torch.multinomial(torch.tensor([0.,0.]),1)
torch.multinomial(torch.tensor([-1.,1.]),1)
torch.multinomial(torch.tensor([0.1,0.9],requires_grad=True),1)
torch.multinomial(torch.tensor(1.),1)
torch.multinomial(torch.ones(2,2,2),1)
torch.multinomial(torch.ones(2,3),2)
torch.multinomial(torch.ones(2),0)
torch.multinomial(torch.ones(2),num_samples=1,replacement=True)
torch.rand_like(x)
torch.rand_like(x.T)
torch.rand_like(i)
torch.rand_like(i,dtype=torch.float32)
torch.randn_like(x.T)
torch.randn_like(torch.ones(5,4).T)
torch.randint_like(x,10)
torch.randint_like(x,3,10)
torch.randint_like(i.T,3,10)
torch.randint_like(x,10,3)
torch.randint_like(x,low=0,high=10,dtype=torch.int64)
torch.rand_like(xr)
torch.rand_like([1])
torch.rand_like(x, generator=torch.Generator())
x.clone().uniform_()
x.clone().uniform_(2,3)
x.clone().uniform_(3,2)
x.clone().uniform_(0.,float('inf'))
x.clone().uniform_(low=2,high=3)
x.clone().uniform_(from_=2)
x.clone().uniform_(to=3)
x.clone().uniform_(generator=torch.Generator().manual_seed(0))
i.clone().uniform_()
x.T.clone().uniform_()
torch.zeros(3,2).T.uniform_()
x.clone().normal_()
x.clone().normal_(2,3)
x.clone().normal_(mean=2,std=3)
x.clone().normal_(2,-3)
i.clone().normal_()
torch.zeros(3,2).T.normal_()
torch.zeros(6,4).T.normal_()
torch.zeros(6,8)[:, ::2].normal_()
x.clone().random_()
x.clone().random_(10)
x.clone().random_(5,10)
x.clone().random_(10,5)
i.clone().random_()
i.clone().random_(5,10)
i.clone().random_(from_=5,to=10)
i.bool().random_()
i.byte().random_()
i.byte().random_(300)
torch.zeros(2,dtype=torch.complex64).random_()
i.clone().random_(0,None)
x.clone().exponential_()
x.clone().exponential_(2.)
x.clone().exponential_(lambd=2.)
x.clone().exponential_(0.)
x.clone().exponential_(-1.)
i.clone().exponential_()
x.clone().cauchy_()
x.clone().cauchy_(1,2)
x.clone().cauchy_(median=1,sigma=2)
x.clone().cauchy_(1,-2)
i.clone().cauchy_()
x.clone().geometric_(0.3)
i.clone().geometric_(0.3)
x.clone().geometric_(p=0.3)
x.clone().geometric_(0)
x.clone().geometric_(1)
x.clone().geometric_()
i.bool().geometric_(.3)
x.clone().log_normal_()
x.clone().log_normal_(1,2)
x.clone().log_normal_(mean=1,std=2)
x.clone().log_normal_(1,-2)
i.clone().log_normal_()
xr.uniform_()
(xr*1).uniform_()
(xr*1).normal_()
(xr*1).exponential_()
(xr*1).bernoulli_()
(xr*1).bernoulli_(torch.full((2,3),.5))
(xr*1).bernoulli_(torch.full((2,3),.5,requires_grad=True))
(xr*1).geometric_(.5)
(xr*1).cauchy_()
(xr*1).log_normal_()
torch.randint_like(xr,3)
torch.zeros(1,3).expand(2,3).uniform_()
torch.zeros(0).uniform_()
torch.tensor(0.).uniform_()
torch.manual_seed(2.7).initial_seed()
torch.manual_seed('3').initial_seed()
torch.manual_seed('a')
torch.manual_seed(-1).initial_seed()
torch.manual_seed(2**64)
torch.manual_seed(2**64-1).initial_seed()
torch.manual_seed(-2**63-1)
torch.manual_seed(torch.tensor(3)).initial_seed()
torch.manual_seed(None)
g.manual_seed(2.7)
g.manual_seed(True)
g.device
g.get_state().shape, g.get_state().dtype
g.set_state(torch.zeros(3))
g.set_state(torch.zeros(3,dtype=torch.uint8))
g.set_state(3)
torch.set_rng_state(3)
torch.get_rng_state().dtype
torch.Generator(device='cpu').device
torch.Generator(3)
torch.default_generator.device
torch.asarray(xr).requires_grad, torch.asarray(xr) is xr
torch.asarray(xr, requires_grad=False).requires_grad
torch.asarray(xr, copy=True)
torch.asarray(xr, dtype=torch.float64)
torch.asarray(x, requires_grad=True).requires_grad, x.requires_grad
torch.asarray(np.ones(2), requires_grad=True)
torch.asarray([torch.tensor(1), 2.])
torch.asarray([torch.zeros(2), torch.zeros(2)])
torch.asarray(bytearray(b'abcd'), dtype=torch.uint8)
torch.asarray('abc')
torch.asarray(None)
torch.asarray([1,2],copy=False)
torch.asarray(3,copy=False)
torch.as_tensor(xr) is xr
torch.as_tensor(xr, dtype=torch.float64)
torch.as_tensor(3.5, dtype=torch.int64)
torch.as_tensor(np.float64(1))
torch.tensor(xr)
torch.tensor(xr, requires_grad=True)
torch.tensor(x).data_ptr()==x.data_ptr()
vmap(lambda a: a+torch.rand(1))(torch.zeros(3))
vmap(lambda a: a+torch.rand(2),randomness='different')(torch.zeros(3))
vmap(lambda a: a+torch.rand(2),randomness='same')(torch.zeros(3))
vmap(lambda a: torch.rand_like(a),randomness='same')(torch.zeros(3,2))
vmap(lambda a: torch.rand_like(a),randomness='different')(torch.zeros(3,2))
vmap(lambda a: torch.bernoulli(a),randomness='same')(halves)
vmap(lambda a: torch.bernoulli(a),randomness='different')(halves)
vmap(lambda a: a.clone().uniform_(),randomness='different')(halves)
vmap(lambda a: a+torch.zeros(2).uniform_(),randomness='different')(halves)
vmap(lambda a: a+torch.zeros(2).uniform_(),randomness='same')(halves)
vmap(lambda a: a+torch.bernoulli(half),randomness='different')(torch.zeros((3,2)))
vmap(lambda a: torch.normal(a,1.),randomness='different')(torch.zeros((3,2)))
vmap(lambda a: torch.normal(a,torch.ones(2)),randomness='different')(torch.zeros((3,2)))
vmap(lambda a: torch.normal(a,1.),randomness='same')(torch.zeros((3,2)))
vmap(lambda a: torch.randperm(4),randomness='different')(torch.zeros((3,2)))
vmap(lambda a: torch.randperm(4),randomness='same')(torch.zeros((3,2)))
vmap(lambda a: torch.randint(4,(2,)),randomness='different')(torch.zeros((3,2)))
vmap(lambda a: torch.multinomial(a,2),randomness='different')(torch.ones((3,2)))
vmap(lambda a: torch.multinomial(a,2),randomness='same')(torch.ones((3,2)))
vmap(lambda a: a+torch.multinomial(torch.ones(4),2),randomness='different')(torch.ones((3,2)))
vmap(lambda a: torch.multinomial(a,2),randomness='different')(torch.ones((3,2,2)))
vmap(lambda a: vmap(two,randomness='different')(a),randomness='different')(torch.zeros(3,2))
torch.rand(3,2,2)
vmap(lambda a: vmap(two,randomness='same')(a),randomness='different')(torch.zeros(3,2))
vmap(lambda a: vmap(two,randomness='different')(a),randomness='same')(torch.zeros(3,2))
vmap(lambda a: vmap(lambda b: torch.rand(2),randomness='different')(a))(torch.zeros(3,2))
vmap(lambda a: vmap(lambda b: torch.rand(2))(a),randomness='different')(torch.zeros(3,2))
vmap(lambda a: a, randomness='foo')(torch.zeros(3,2))
vmap(lambda a: a.new_zeros(3))(torch.zeros(3,2))
vmap(lambda a: a.clone().normal_(),randomness='error')(torch.zeros(3,2))
vmap(lambda a: a.clone().bernoulli_(0.5),randomness='different')(halves)
vmap(lambda a: a.clone().bernoulli_(half),randomness='different')(halves)
torch.finfo(torch.complex64).bits, torch.finfo(torch.bfloat16).resolution
torch.finfo(torch.bfloat16).max, torch.finfo(torch.bfloat16).tiny, torch.finfo(torch.float64).max
""")


@pytest.mark.parametrize("expression", CALLS)
def test_same(expression: str) -> None:
    same(expression, SETUP)


# -- one after the other ------------------------------------------------------------------------

SHAPES = ("()", "(1,)", "(3,)", "(15,)", "(16,)", "(17,)", "(4, 5)", "(2, 0)", "(33,)", "(700,)")
FLOATS = ("float32", "float64", "float16", "bfloat16")
WHOLE = ("int64", "int32", "uint8", "bool", *FLOATS)


def drawing(draw: random.Random) -> str:
    """A random call that draws numbers."""
    shape, kind = draw.choice(SHAPES), draw.choice(FLOATS)
    low, high = draw.uniform(-3, 1), draw.uniform(1.5, 9)
    empty = f"torch.empty({shape}, dtype=torch.{kind})"
    turned = f"torch.empty(4, 5, dtype=torch.{kind}).T"
    return draw.choice(
        (
            f"torch.rand({shape}, dtype=torch.{kind})",
            f"torch.randn({shape}, dtype=torch.{kind})",
            f"torch.randint({int(low)}, {int(high)}, {shape})",
            f"torch.randint(0, 2, {shape}, dtype=torch.{draw.choice(WHOLE)})",
            f"torch.randperm({draw.choice([0, 1, 2, 7, 50, 1200])})",
            f"torch.normal({low}, {high}, {shape}, dtype=torch.{kind})",
            f"torch.bernoulli(torch.full({shape}, 0.3, dtype=torch.{kind}))",
            f"torch.multinomial(torch.tensor([0.1, 0.5, 0.4, 2.0]), {draw.choice([1, 3, 4])})",
            f"torch.multinomial(torch.ones(2, 3), {draw.choice([1, 9])}, True)",
            f"{empty}.uniform_({low}, {high})",
            f"{turned}.uniform_()",
            f"{turned}.normal_({low}, {high})",
            f"{turned}.bernoulli_(0.4)",
            f"torch.empty({shape}, dtype=torch.{draw.choice(WHOLE)}).random_()",
            f"torch.empty(3, dtype=torch.{draw.choice(WHOLE)}).random_(2)",
            f"torch.rand_like({turned})",
            f"torch.randn_like({empty})",
        )
    )


@pytest.mark.parametrize("seed", range(20))
def test_sequences(seed: int) -> None:
    """Random calls in sequence give the same numbers, and leave the same state."""
    draw = random.Random(seed)
    calls = [drawing(draw) for _ in range(30)]
    for library in (adjoint, torch):
        library.manual_seed(seed)
    for call in calls:
        assert outcome(adjoint, call) == outcome(torch, call), call
    assert adjoint.get_rng_state().tolist() == torch.get_rng_state().tolist()


LOGARITHMIC = ("exponential_(1.5)", "cauchy_()", "log_normal_()", "geometric_(0.2)")


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("call", LOGARITHMIC)
def test_logarithmic(call: str, kind: str) -> None:
    """What goes through a logarithm or a tangent is the same within 2 units in the last place."""
    found = []
    for library in (adjoint, torch):
        library.manual_seed(7)
        drawn = eval(f"torch.empty(500, dtype=torch.{kind}).{call}", {"torch": library})
        found.append(drawn.double().numpy())
    unit = torch.finfo(getattr(torch, kind)).eps
    assert (abs(found[0] - found[1]) <= 2 * unit * abs(found[1])).all()
