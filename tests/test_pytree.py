"""Trees: taking apart, building, comparing, spreading a prefix, registering a container."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from adjoint import return_types
from adjoint.pytree import flatten, map_leaves, register, spread

Point = namedtuple("Point", "x y")  # noqa: PYI024 - the untyped kind
TREES = [
    5,
    None,
    (),
    [1, (2, None)],
    {"b": 1, "a": [2, {"c": 3}]},
    OrderedDict(b=1, a=2),
    defaultdict(list, b=1),
    deque([1, 2], maxlen=3),
    Point(1, [2]),
    return_types.max((1, 2)),
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_taken_apart_and_built_again(tree):
    leaves, structure = flatten(tree)
    built = structure(iter(leaves))
    assert built == tree
    assert type(built) is type(tree)
    assert structure.count == len(leaves)
    assert structure == flatten(built)[1]


def test_none_is_a_leaf():
    assert flatten((None, 1))[0] == [None, 1]


def test_structures_that_differ():
    structures = [flatten(tree)[1] for tree in (*TREES, [1], (1,), {"a": 1}, {"b": 1}, {"b": (1,)})]
    for number, one in enumerate(structures):
        for other in structures[number + 1 :]:
            same = one.count == other.count == 1 and one.kind is None and other.kind is None
            assert (one == other) is same


def test_structures_are_spelled():
    assert repr(flatten({"a": (1, [2])})[1]) == "{'a': (*, [*])}"


@pytest.mark.parametrize(
    ("prefix", "tree", "expected"),
    [
        (0, [1, (2, 3)], [0, 0, 0]),
        ([0, None], [1, (2, 3)], [0, None, None]),
        ([0, (1, 2)], [1, (2, 3)], [0, 1, 2]),
        ({"b": 1, "a": 0}, {"a": 5, "b": 6}, [0, 1]),
        ((0, 1), [1, 2], None),
        ([0], [1, 2], None),
        ({"a": 0}, {"b": 1}, None),
        ([0, 1], 5, None),
        (Point(0, 1), Point(2, (3, 4)), [0, 1, 1]),
    ],
)
def test_spreading(prefix, tree, expected):
    assert spread(prefix, flatten(tree)[1]) == expected


def test_a_container_of_ones_own():
    class Box:
        def __init__(self, content):
            self.content = content

    assert flatten(Box(1))[0][0].content == 1
    register(Box, lambda box: ((box.content,), None), lambda parts, _: Box(next(iter(parts))))
    leaves, structure = flatten([Box(3)])
    assert leaves == [3]
    assert structure(iter([4]))[0].content == 4
    with pytest.raises(ValueError, match="registered"):
        register(Box, None, None)


def test_mapping_over_several():
    assert map_leaves(lambda a, b: a + b, {"x": 1}, {"x": 2}) == {"x": 3}
    with pytest.raises(ValueError, match="1 leaves, 2 leaves"):
        map_leaves(lambda a, b: a, [1], [1, 2])
