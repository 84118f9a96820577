"""The Tensor's face against PyTorch's: attributes, conversions, protocols, settings."""

from __future__ import annotations

import pytest

from tests.parity.expressions import expressions, same

SETUP = """
x = torch.arange(6.0).reshape(2, 3)
xr = torch.ones(2, 3, requires_grad=True)
i = torch.arange(6).reshape(2, 3)
"""
CALLS = expressions(r"""
np.sin(x)
np.sin(i).dtype
np.greater(x, 1)
np.add(np.ones(3), x)
np.add(x, np.ones(3))
np.sin(xr)
x*np.ones(3)
np.float64(2)*x
x*np.float64(2)
x+np.ones(3)
np.float32(2)*i
i*np.float32(2)
i*np.float64(2.5)
x==np.ones(3)
np.ones(3)==x
x+[1,2,3]
x+'a'
[1,2,3]+x
x+None
x==None
x=='a'
x!=None
x<None
x<'a'
np.sum(x)
np.mean(x)
np.max(x)
np.sum(x,axis=0)
np.concatenate([x,x])
np.array(x)
np.asarray(x).__array_interface__['data'][0]==x.data_ptr()
np.asarray(x,dtype=np.float64)
np.array(xr)
np.array([x[0],x[1]])
np.array(torch.ones(2,dtype=torch.bfloat16))
torch.ones(2,dtype=torch.bfloat16).numpy()
xr.numpy()
xr.numpy(force=True)
xr.detach().numpy()
np.dot(np.ones(2),x)
x.numpy().flags.writeable
2 in x
7 in x
torch.tensor(2.) in x
'a' in x
[1] in x
None in x
xr.__contains__(1)
list(xr)
list(torch.tensor(1))
len(torch.tensor(1))
[*x]
bool(torch.tensor([]))
bool(torch.ones(2))
bool(torch.tensor([[2.]]))
int(torch.tensor(2.7))
int(torch.ones(2))
float(torch.ones(2))
float(torch.tensor(1j))
complex(torch.tensor(1))
int(torch.tensor(float('nan')))
int(torch.tensor(float('inf')))
[1,2,3][torch.tensor(1)]
[1,2,3][torch.tensor(1.)]
[1,2,3][torch.tensor([1])]
[1,2,3][torch.tensor([1,2])]
[1,2,3][torch.tensor(True)]
range(torch.tensor(3))
x.item()
torch.tensor([[3]]).item()
xr.sum().item()
torch.tensor([]).item()
x.tolist()
torch.tensor(3).tolist()
torch.tensor([],dtype=torch.int64).tolist()
torch.tensor([1+2j]).tolist()
torch.tensor([1.5],dtype=torch.bfloat16).tolist()
torch.tensor([0.1],dtype=torch.float32).tolist()
x.type()
i.type()
x.type('torch.DoubleTensor')
x.type('torch.FooTensor')
x.type_as(i)
x.type_as(x) is x
x.to(torch.float64)
x.to(torch.float32) is x
x.to('cpu') is x
x.to(torch.device('cpu')) is x
x.to('cpu', torch.float64)
x.to('cpu', dtype=torch.float64)
x.to(i)
x.to(dtype=torch.int64)
x.to(torch.float32, copy=True) is x
x.to(device='cpu', copy=True) is x
x.to('foo')
x.to(float)
x.to(3)
x.to()
x.to(None)
x.to(torch.float64, non_blocking=True)
x.to(torch.float64, True)
x.to('cpu', torch.float64, True, True)
xr.to(torch.float64)
xr.to(torch.int64).requires_grad
xr.double()
xr.float() is xr
x.T.to(torch.float64).stride()
x.T.double().stride()
x.T.to(torch.float32,copy=True).stride()
x.T.clone().stride()
torch.tensor([1.7,-1.7]).int()
torch.tensor([300.7,-1.7,256]).byte()
torch.tensor([float('nan')]).int()
torch.tensor([1+2j]).float()
x.cpu() is x
x.is_contiguous(), x.T.is_contiguous(), x[:, :1].is_contiguous()
x.stride(), x.stride(0), x.stride(-1), x.T.stride()
x.stride(5)
torch.tensor(1).stride(0)
x.storage_offset(), x[1].storage_offset(), x[1:,1:].storage_offset()
x.element_size(), x.itemsize, x.nbytes
x.names, x.is_nested
x.get_device()
x.is_floating_point(), x.is_complex(), x.is_signed()
i.is_floating_point(), i.is_signed(), i.byte().is_signed()
torch.is_floating_point(x)
torch.is_complex(x)
torch.is_tensor(x)
torch.is_tensor(np.ones(2))
torch.numel(x)
torch.is_nonzero(torch.tensor(1))
torch.is_same_size(x,x)
torch.is_floating_point(3)
torch.numel([1])
x.size(), x.size(0), x.size(-1), x.size(dim=1)
x.size(3)
torch.tensor(1).size(0)
x.dim(), x.ndim, x.ndimension(), x.nelement(), x.numel()
x.has_names()
x.is_pinned()
x.is_shared()
x.is_set_to(x)
x.dense_dim()
torch.Size([2,3]), torch.Size((2,3)), torch.Size([])
torch.Size([2,3])+(1,)
torch.Size([2,3])+torch.Size([1])
(1,)+torch.Size([2,3])
torch.Size([2,3])+[1]
torch.Size([2,3])*2
2*torch.Size([2,3])
torch.Size([2,3])[0], torch.Size([2,3])[:1], torch.Size([2,3])[-1]
torch.Size([2,3]).numel(), torch.Size([]).numel()
torch.Size([2.5])
torch.Size('ab')
torch.Size(3)
torch.Size()
torch.Size([torch.tensor(3)])
torch.Size([2,3])==(2,3), hash(torch.Size([2,3]))==hash((2,3)), torch.Size([2,3])==[2,3]
pickle.loads(pickle.dumps(torch.Size([2,3])))
copy.deepcopy(torch.Size([2,3]))
torch.Size([2,3]).count(2), torch.Size([2,3]).index(3)
str(torch.Size([2,3])), f"{torch.Size([2])}"
torch.device('cpu')==torch.device('cpu:0')
torch.device('foo')
torch.device('cpu:1')
torch.device('')
torch.device(3)
torch.device(torch.device('cpu'))
torch.device('meta')
torch.finfo(torch.float32)
torch.finfo(torch.bfloat16)
torch.finfo(torch.float16)
torch.finfo(torch.float64)
torch.finfo(torch.complex64)
torch.finfo()
torch.finfo(torch.int32)
torch.iinfo(torch.int32)
torch.iinfo(torch.uint8)
torch.iinfo(torch.float32)
torch.iinfo(torch.bool)
torch.iinfo()
torch.finfo('float32')
torch.finfo(torch.float32).smallest_normal
torch.finfo(torch.float32).tiny
torch.finfo(torch.float32).dtype
torch.finfo(torch.float32).bits
torch.iinfo(torch.int8).dtype, torch.iinfo(torch.int8).bits
torch.finfo(torch.float32)==torch.finfo(torch.float32), hash(torch.finfo(torch.float32))
torch.can_cast(torch.float32
torch.int32)
torch.can_cast(torch.int64
torch.float16)
torch.can_cast(torch.bool,torch.uint8)
torch.can_cast(torch.uint8
torch.bool)
torch.can_cast(torch.int8
torch.uint8)
torch.can_cast(1, torch.int32)
torch.result_type(1j, x)
torch.result_type('a', x)
torch.promote_types(torch.int8, torch.float16)
torch.promote_types(1, torch.int8)
torch.set_default_dtype('float32')
torch.set_default_dtype(None)
torch.get_default_dtype(), torch.get_default_device()
torch.set_num_threads(0)
torch.set_num_threads(2.5)
torch.e, torch.pi, torch.inf, torch.nan, torch.newaxis
torch.typename(x), torch.typename(1)
torch.is_storage(x)
pickle.loads(pickle.dumps(x*xr))
pickle.loads(pickle.dumps(xr))
copy.deepcopy(x*xr)
copy.copy(x) is x, copy.copy(x).data_ptr()==x.data_ptr()
copy.copy(x*xr)
copy.deepcopy(x.T).stride()
x.requires_grad_(True).requires_grad
i.requires_grad_()
torch.from_dlpack(np.arange(3.))
torch.from_dlpack([1])
torch.from_dlpack(np.array(['a']))
np.from_dlpack(x.detach())
np.from_dlpack(x)
np.from_dlpack(torch.ones(2,dtype=torch.bool))
torch.from_dlpack(np.arange(6.).reshape(2,3).T).stride()
""")


@pytest.mark.parametrize("expression", CALLS)
def test_same(expression: str) -> None:
    same(expression, SETUP)
