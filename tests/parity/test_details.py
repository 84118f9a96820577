"""Details of PyTorch's behaviour that are nobody's subject alone: strides, orders, refusals."""

from __future__ import annotations

import pytest

from tests.parity.expressions import expressions, same

SETUP = """
x = torch.ones(3)
y = torch.arange(6.0).reshape(2, 3)
z = torch.arange(24.0).reshape(2, 3, 2, 2)
i = torch.arange(3)
b = torch.tensor([True, False, True])
c = torch.ones(3, dtype=torch.complex64)
class Mine(torch.Tensor): pass
def kept(array, write):
    array.flags.writeable = False
    tensor = torch.from_numpy(array)
    tensor.add_(write)
    return array.tolist()
def shown(**options):
    try:
        torch.set_printoptions(**options)
        return repr(y / 3)
    finally:
        torch.set_printoptions(profile="default")
"""
CALLS = expressions(r"""
# strides of dimensions of size 1
x[None]
x[:,None]
x[None,:,None]
y[:,None]
y[...,None]
y.T[None]
y.T.unsqueeze(1)
torch.atleast_2d(x)
torch.atleast_3d(x)
torch.atleast_3d(y)
torch.tensor(5.)[None]
torch.tensor(5.)[None].expand(3)
x.expand(1,3)
x.expand(2,1,3)
x.expand(2,3)[None]
y.broadcast_to(1,2,3)
y.broadcast_to((1,2,3))
torch.broadcast_to(y,size=(1,2,3))
torch.broadcast_to(y,(1,1,3))
y.T[None].is_contiguous(), y.T[None].clone().is_contiguous(), x[None].is_contiguous()
torch.zeros_like(y.T[None]).is_contiguous()
torch.ones(1,3)*torch.ones(2,1)
x[None].detach()
x[None].stride(0)
x[None].stride(-1)
# orders of memory
z.to(memory_format=torch.channels_last)
z.to(memory_format=torch.channels_last).to(memory_format=torch.contiguous_format)
z.to(torch.float64,memory_format=torch.channels_last)
z.to(memory_format=torch.channels_last).is_contiguous(memory_format=torch.channels_last)
z.to(memory_format=torch.preserve_format) is z
z.double(memory_format=torch.channels_last)
z.clone(memory_format=torch.channels_last)
z.clone(memory_format=torch.contiguous_format)
z.mT.clone(memory_format=torch.preserve_format)
z.mT.clone(memory_format=torch.contiguous_format)
z.contiguous(memory_format=torch.channels_last)
z.contiguous(memory_format=torch.channels_last).contiguous()
z.contiguous(memory_format=torch.contiguous_format) is z
z.contiguous(memory_format=torch.preserve_format)
z[None].contiguous(memory_format=torch.channels_last_3d)
z.contiguous(memory_format=torch.channels_last_3d)
y.clone(memory_format=torch.channels_last)
y.clone(memory_format='channels_last')
z.requires_grad_().clone(memory_format=torch.channels_last)
z.requires_grad_().to(memory_format=torch.channels_last)
# element types that are refused, or not
torch.relu(c)
torch.relu(b)
torch.nn.functional.relu6(c)
torch.nn.functional.hardtanh(c)
torch.nn.functional.hardtanh(b)
torch.einsum('i,i->',b,b)
torch.einsum('i,j->ij',b,b)
torch.einsum('i->',b)
torch.einsum('ij,ij->i',b[None],b[None])
torch.einsum('ij,ij->i',b[None,:0],b[None,:0])
torch.median(torch.ones(0,dtype=torch.int8))
torch.median(torch.ones(0,dtype=torch.int16))
torch.nanmedian(torch.ones(0,dtype=torch.int16))
torch.median(torch.ones(0,dtype=torch.uint8))
torch.median(torch.ones(0,dtype=torch.int32))
torch.median(torch.ones(0,dtype=torch.int64))
torch.softmax(i[:0],0)
torch.log_softmax(i[:0],0)
torch.softmax(b[:0],0)
torch.softmax(c[:0],0)
torch.softmax(y.int()[:,:0],1)
torch.softmax(i[:0],1)
torch.softmax(i,0)
torch.nn.functional.softmin(i[:0],0)
torch.ldexp(x,b)
torch.ldexp(x.half(),b)
torch.ldexp(i,b)
torch.ldexp(b,b)
torch.ldexp(c,b)
torch.ldexp(x[:0],b[:0])
torch.ldexp(x,True)
x.ldexp(i)
x.ldexp_(i)
# places
x.cuda()
x.to('cuda')
x.to(torch.device('cuda',0))
x.to('xpu')
torch.ones(2,device='cuda')
torch.tensor(2,device='cuda:1')
torch.tensor(2,device='mps')
torch.nn.Linear(2,2).cuda()
torch.nn.Linear(2,2,device='cuda')
torch.cuda.synchronize()
# read-only memory, gradients that are too many, printing
kept(np.ones(3),1)
torch.autograd.grad((y.requires_grad_()*2).sum(),y,[torch.tensor(1.),torch.tensor(2.)])
torch.autograd.grad([y.requires_grad_().sum(),y.prod()],y,[torch.tensor(1.)])
torch.autograd.backward(y.requires_grad_().sum(),[torch.tensor(1.),torch.tensor(2.)]), y.grad
repr(y.as_subclass(Mine))
z.mT.contiguous(memory_format=torch.preserve_format)
repr(torch.nn.Parameter(y))
shown(profile='x')
shown(profile='x',precision=2)
""")


@pytest.mark.parametrize("expression", CALLS)
def test_same(expression: str) -> None:
    same(expression, SETUP)
