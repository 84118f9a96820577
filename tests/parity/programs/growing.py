"""Growing a program beside PyTorch: each statement is drawn for the tensors that there are by then.

A program is grown from steps, which are tuples of small numbers, so that whatever draws them may
leave steps out and make numbers smaller, and a smaller program comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import Formatter
from typing import Any

import torch

from tests.parity.programs import functions, vocabulary
from tests.parity.programs.running import Program, Session
from tests.parity.programs.vocabulary import Template, fits, templates

STEP = 8  # numbers that a step is made of
Step = Sequence[int]
SHAPES = ((2, 3), (3,), (), (2, 1), (2, 2, 3), (1, 3), (3, 3), (2, 2), (0, 3))
TYPES = (*["float64"] * 9, "float32", "complex128", "int64")

# What a step may do; the first is the simplest.
KINDS = (
    *["operation"] * 9, *["view"] * 12, *["write"] * 14, *["leaf"] * 2, *["several"] * 3,
    *["recording"] * 5, *["pass"] * 2, *["gradient"] * 4, *["unhook"], *["function"] * 8,
)  # fmt: skip
TEMPLATES = {
    "operation": [
        *templates(vocabulary.UNARY),
        *templates(vocabulary.BINARY),
        *templates(vocabulary.REDUCTIONS),
    ],
    "view": templates(vocabulary.VIEWS),
    "write": templates(vocabulary.WRITES),
    "several": templates(vocabulary.SEVERAL),
    "recording": templates(vocabulary.RECORDING),
    "pass": templates(vocabulary.PASSES),
    "gradient": templates(vocabulary.GRADIENTS),
}
# Inside a function.
BODY = (*["operation"] * 10, *["view"] * 6, *["write"] * 6)


LETTERS = "abcdegmnpqrtuvw"
BLOCKS = list(vocabulary.BLOCKS)


def leave_out(words: Sequence[str]) -> None:
    """Say nothing more with these words."""
    lists = (functions.SINGLE, functions.SEVERAL, functions.BATCHED, BLOCKS)
    for options in (*TEMPLATES.values(), *lists):
        options[:] = [each for each in options if not any(word in str(each) for word in words)]


# PyTorch refuses inference tensors where a recorded operation saves them, Adjoint where a backward
# pass needs them.
LATER = "Inference tensors cannot be saved for backward"


class Choices:
    """A supply of numbers to choose with; zeros once they are used up."""

    def __init__(self, numbers: Step) -> None:
        self.numbers: Iterator[int] = iter(numbers)

    def below(self, count: int) -> int:
        """A number from 0 to below ``count``."""
        return next(self.numbers, 0) % count

    def of(self, options: Any) -> Any:
        """One of several."""
        return options[self.below(len(options))]


def overlaps_itself(x: Any) -> bool:
    """Whether two elements are one place in memory, other than by ``expand``, which is refused."""
    pairs = [(n, step) for n, step in zip(x.shape, x.stride(), strict=True) if n > 1]
    if any(step == 0 for _, step in pairs) or not x.numel():
        return False
    places = torch.zeros((), dtype=torch.int64)
    for size, step in pairs:
        places = places[..., None] + step * torch.arange(size)
    return bool(places.unique().numel() < places.numel())


def shares(x: Any, y: Any) -> bool:
    """Whether two tensors look at one memory."""
    return bool(x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr())


def same_view(x: Any, y: Any) -> bool:
    """Whether two tensors look at the same elements in the same way."""
    return bool(x.data_ptr() == y.data_ptr() and x.shape == y.shape and x.stride() == y.stride())


def broadcasts(x: Any, y: Any) -> tuple[int, ...] | None:
    """The shape of two tensors broadcast together, None if they cannot be."""
    try:
        return tuple(torch.broadcast_shapes(x.shape, y.shape))
    except RuntimeError:
        return None


def suits(needs: frozenset[str], x: Any, y: Any) -> bool:
    """Whether ``y`` may stand beside ``x`` in a template."""
    if "written" in needs and y.requires_grad and not fits("floats", x):
        return False
    if "enough" in needs and y.numel() < x.numel():
        return False
    if "same" in needs and x.dtype != y.dtype:
        return False
    if "other" in needs and shares(x, y):
        return False
    if "into" in needs:
        return broadcasts(x, y) == tuple(x.shape) and (not shares(x, y) or same_view(x, y))
    if "overwrites" in needs:
        return not shares(x, y) and y.dim() < x.dim() and broadcasts(x, y) == tuple(x.shape)
    return "both" not in needs or broadcasts(x, y) is not None


def sound(x: Any) -> bool:
    """Whether numbers are finite and not huge."""
    x = x.detach()
    if x.is_complex():
        x = torch.view_as_real(x.resolve_conj())
    return not x.numel() or bool(torch.isfinite(x).all() and (x.abs() < 1e4).all())


class Grower:
    """A program on its way."""

    def __init__(self) -> None:
        self.session = Session(torch)
        self.statements: list[str] = []
        self.made = 0
        self.handles: list[str] = []
        self.function: Body | None = None  # that the next steps are part of
        self.functions = 0
        self.over = False

    def fresh(self) -> str:
        """A new name, of a letter that means nothing else."""
        turn, place = divmod(self.made, len(LETTERS))
        self.made += 1
        return LETTERS[place] + (str(turn) if turn else "")

    def add(self, step: Step) -> None:
        """Grow by one step, if what it says can be said here."""
        choices = Choices(step)
        if self.function is not None:
            self.function.add(choices)
            if not self.function.left:
                self.close(self.function)
            return
        kind = choices.of(KINDS) if len(self.session.tensors()) >= 2 else "leaf"
        if kind == "leaf":
            self.keep(leaf(self.fresh(), choices))
        elif kind == "unhook":
            if self.handles:
                self.keep(f"{choices.of(self.handles)}.remove()")
        elif kind == "function":
            self.function = opened(self.session.tensors(), choices)
        else:
            self.say(kind, choices)

    def say(self, kind: str, choices: Choices) -> None:
        """Fill a template of a kind in."""
        template = choices.of(TEMPLATES[kind])
        text = fill(template, self.session.tensors(), choices, kind == "write")
        if text is None:
            return
        block = choices.of([None] * 12 + BLOCKS)
        if kind == "several":
            self.keep_several(inside(block, "{} = " + text))
        elif kind in {"operation", "view", "gradient"}:
            self.keep_one(inside(block, "{} = " + text))
        elif "register" in text:
            name = f"handle{len(self.handles)}"
            if self.keep(f"{name} = {text}") is None:
                self.handles.append(name)
        else:
            error = self.keep(inside(block if kind == "write" else None, text))
            if "inference tensor" in str(error):
                self.statements.pop()
                self.over = True
            # A pass that fails midway has stored some gradients in PyTorch, and in Adjoint none.
            self.over = self.over or (kind == "pass" and error is not None)
            if not all(sound(x) for x in self.session.tensors().values()):
                self.statements.pop()
                self.over = True

    def keep(self, statement: str) -> Exception | None:
        """Make a statement part of the program, and carry it out; the error that it raises."""
        self.statements.append(statement)
        error = self.session.run(statement)
        if error is not None and LATER in str(error):
            self.statements.pop()
        return error

    def keep_one(self, statement: str) -> Exception | None:
        """Give the result of an expression a name, unless it is too large."""
        name = self.fresh()
        error = self.keep(statement.format(name))
        value = self.session.names.get(name)
        if isinstance(value, torch.Tensor) and not (sound(value) and value.numel() <= 256):
            self.statements.pop()
            del self.session.names[name]
        return error

    def keep_several(self, statement: str) -> Exception | None:
        """Give the results of an expression names of their own."""
        error = self.session.run(statement.format("*several,"))
        parts = self.session.names.pop("several", ())
        if error is None and not 0 < len(parts) <= 4:
            return None
        names = [self.fresh() for _ in parts or "_"]
        self.statements.append(statement.format(", ".join(names) + ","))
        self.session.names.update(zip(names, parts, strict=False))
        return error

    def close(self, body: Body) -> None:
        """Define a function that is complete, and use it."""
        name = f"f{self.functions}"
        self.functions += 1
        self.function = None
        self.keep(body.text(name))
        use = "{} = " + functions.use_of(body.use, name, body.arguments)
        keep = self.keep_several if body.use in functions.SEVERAL else self.keep_one
        count = len(self.statements)
        error = keep(use)
        if error is not None and functions.is_refused(error):
            del self.statements[count - 1 :]


class Body:
    """A function on its way: statements that PyTorch carries out on tensors like its arguments."""

    def __init__(
        self, arguments: tuple[str, ...], values: list[Any], left: int, use: str, copied: bool
    ) -> None:
        self.arguments = arguments
        self.left = left
        self.use = use
        self.session = Session(torch)
        self.parameters = ["x", "y", "z"][: len(values)]
        self.session.names.update(zip(self.parameters, values, strict=True))
        self.statements = [f"{each} = {each}.clone()" for each in self.parameters if copied]

    def add(self, choices: Choices) -> None:
        """Grow by one statement, which must not raise."""
        self.left -= 1
        kind = choices.of(BODY)
        if kind == "write" and "linearize" in self.use:
            return
        template = choices.of(TEMPLATES[kind])
        if kind == "write":
            if "outside" in template.needs:
                return
            template = template._replace(needs=template.needs | {"other"})
        if self.use in functions.BATCHED and any(
            word in template.text for word in functions.OUTSIDE_VMAP
        ):
            return
        text = fill(template, self.session.tensors(), choices, kind == "write")
        if text is None:
            return
        if kind != "write":
            text = f"{LETTERS[len(self.statements)]}1 = {text}"
        text = inside(choices.of([None] * 24 + BLOCKS[:1]), text)
        before = dict(self.session.names)
        error = self.session.run(text)
        value = self.session.names.get(text.split(" = ")[0])
        if error is None and (value is None or (sound(value) and value.numel() <= 12)):
            self.statements.append(text)
        else:
            self.session.names = before

    def text(self, name: str) -> str:
        """The function's source; it returns its latest tensor that has a derivative."""
        able = {
            name: value
            for name, value in self.session.tensors().items()
            if value.numel() and (value.is_floating_point() or value.is_complex())
        }
        out, value = list(able.items())[-1]
        real = ".real" if value.is_complex() else ""
        if "functional" in self.use:
            out, real = out + real, ""
        return functions.definition(name, self.parameters, self.statements, out, real)


def opened(tensors: dict[str, Any], choices: Choices) -> Body | None:
    """A function of one or two of some tensors, and what is to be done with it."""
    use = choices.of([*functions.SINGLE, *functions.SEVERAL, *functions.BATCHED])
    batched = use in functions.BATCHED
    able = [
        name
        for name, x in tensors.items()
        if x.is_floating_point() and not x.is_inference() and 0 < x.numel() <= 12
        if not batched or (x.dim() and x.shape[0])
    ]
    if not able:
        return None
    first = choices.of(able)
    length = tensors[first].shape[:1]
    others = [name for name in able if not batched or tensors[name].shape[:1] == length]
    arguments = (first, choices.of(others))[: 1 + choices.below(2)]
    values = [tensors[name].detach().clone() for name in arguments]
    if batched:
        values = [value[0].clone() for value in values]
    recorded = any(tensors[name].requires_grad for name in arguments)
    shared = len(arguments) == 2 and shares(*(tensors[name] for name in arguments))
    copied = recorded or shared or functions.COPIED.search(use) is not None
    return Body(arguments, values, 1 + choices.below(5), use, copied)


def inside(block: str | None, statement: str) -> str:
    """A statement inside a ``with`` block, if there is one."""
    return statement if block is None else f"with {block}:\n    {statement}"


def leaf(name: str, choices: Choices) -> str:
    """The making of a leaf, or of a constant."""
    shape, dtype = choices.of(SHAPES), choices.of(TYPES)
    wanted = choices.below(4) < 3 and dtype != "int64"
    seed = choices.below(100)
    count = 1
    for size in shape:
        count *= size
    numbers: Any = [round((place * 7 + seed * 5) % 31 * 0.1 - 1.43, 2) for place in range(count)]
    if dtype == "int64":
        numbers = [int(3 * number) for number in numbers]
    if dtype == "complex128":
        numbers = [complex(number, round(0.7 - number * number, 2)) for number in numbers]
    for size in reversed(shape[1:]):
        numbers = [numbers[at : at + size] for at in range(0, len(numbers), size)]
    made = f"tensor({numbers if shape else numbers[0]}" if count else f"zeros({shape}"
    grad = ", requires_grad=True" if wanted else ""
    return f"{name} = torch.{made}, dtype=torch.{dtype}{grad})"


def fill(
    template: Template, tensors: dict[str, Any], choices: Choices, writing: bool = False
) -> str | None:
    """A template's text with what stands for its letters; None where nothing fits."""
    needs = template.needs | ({"written"} if writing else set())
    able = [name for name, x in tensors.items() if all(fits(word, x) for word in needs)]
    if writing:
        able = [name for name in able if not overlaps_itself(tensors[name])]
    if not able:
        return None
    # The latest tensors more often: programs are to go deep.
    place = choices.below(2 * len(able))
    chosen = {"x": able[place] if place < len(able) else able[-1 - (place - len(able)) // 2]}
    x = tensors[chosen["x"]]
    letters = {field for _, field, _, _ in Formatter().parse(template.text) if field}
    if letters & {"y", "z"}:
        others = [name for name, y in tensors.items() if suits(needs, x, y)]
        if not others:
            return None
        chosen["y"] = choices.of(others)
    if "z" in letters:
        z = third(template, tensors, chosen, choices)
        if z is None:
            return None
        chosen["z"] = z
    for letter in sorted(letters - {"x", "y", "z"}):
        chosen[letter] = str(number_for(letter, x, choices))
    return template.text.format(**chosen)


def third(
    template: Template, tensors: dict[str, Any], chosen: dict[str, str], choices: Choices
) -> str | None:
    """A third tensor: to be written to, or another that broadcasts."""
    x, y = (tensors[chosen.get(letter, chosen["x"])] for letter in "xy")
    if "out={z}" in template.text:
        if "{y}" not in template.text:
            y = x
        names = [
            name
            for name, z in tensors.items()
            if tuple(z.shape) == broadcasts(x, y) and not shares(x, z) and not shares(y, z)
        ]
    else:
        names = [name for name, z in tensors.items() if suits(template.needs, x, z)]
    return choices.of(names) if names else None


def number_for(letter: str, x: Any, choices: Choices) -> Any:
    """A dimension, an index, a size, a shape; now and then one that ``x`` has not."""
    number = choices.below(64)
    if letter in {"dim", "other"}:
        if number == 63:
            return x.dim() + 1
        return number % (2 * x.dim()) - x.dim() if x.dim() else 0
    if letter == "index":
        return 5 if number == 63 else (0, 1, -1)[number % 3] if number % 4 else 0
    if letter == "start":
        return (0, 1)[number % 2]
    if letter == "size":
        return (1, 2)[number % 2]
    count = x.numel()
    shapes = [(-1,), (1, -1), (count, 1), (2, -1), (1, count, 1), tuple(reversed(x.shape)), (-1, 1)]
    return shapes[number % len(shapes)]


def grow(steps: Sequence[Step], every: bool = True) -> Program:
    """The program of some steps."""
    grower = Grower()
    for step in steps:
        if grower.over:
            break
        grower.add(step)
    return Program(tuple(grower.statements), every=every)
