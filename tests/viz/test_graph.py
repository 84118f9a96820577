"""The graph as text, Mermaid, DOT and SVG."""

import re
import xml.etree.ElementTree as ET

import pytest

import adjoint as torch
from adjoint.viz.layout import arrange
from adjoint.viz.model import PARAMETER, RESULT


def small():
    x = torch.tensor([1.0, 2.0, 3.0])
    w = torch.ones(2, 3, requires_grad=True)
    b = torch.ones(3, requires_grad=True)
    z = x * w + b
    loss = (z * z).sum()
    return torch.viz.graph(loss, params={"w": w, "b": b})


def deep(steps):
    x = torch.ones(3, requires_grad=True)
    w = torch.ones(3, requires_grad=True)
    z = x
    for _ in range(steps):
        z = z * w + x
    return torch.viz.graph(z.sum())


def test_text_is_a_tree_with_names_shapes_and_lines():
    text = re.sub(r"test_graph\.py:\d+", "FILE", str(small()))
    assert text.splitlines() == [
        "loss = Sum []  FILE",
        "└─ Mul [2, 3]  FILE",
        "   └─ z = Add [2, 3]  FILE",
        "      ├─ Mul [2, 3]  FILE",
        "      │  ├─ x: input [3]",
        "      │  └─ w: parameter [2, 3]",
        "      └─ b: parameter [3]",
    ]


def test_each_operation_names_the_line_that_made_it():
    graph = small()
    lines = {vertex.label: vertex.where for vertex in graph.vertices if vertex.where}
    first = small.__code__.co_firstlineno
    assert lines["Add"] == f"test_graph.py:{first + 4}"
    assert lines["Sum"] == f"test_graph.py:{first + 5}"


def test_a_shared_part_is_shown_once():
    x = torch.ones(2, requires_grad=True)
    y = x * x
    z = y / (y + 1)
    assert str(torch.viz.graph(z)).count("(shown above)") == 1


def test_mermaid_groups_the_parameters():
    lines = small().mermaid().splitlines()
    assert lines[0] == "flowchart LR"
    inside = lines[lines.index('  subgraph parameters["Parameters"]') + 1 : lines.index("  end")]
    assert [re.search(r'"(\w+)<br>', line)[1] for line in inside] == ["w", "b"]
    numbers = set(re.findall(r"^ +(n\d+)[\[(]", small().mermaid(), re.MULTILINE))
    arrows = re.findall(r"(n\d+) --> (n\d+)", small().mermaid())
    assert len(arrows) == 6
    assert {end for arrow in arrows for end in arrow} == numbers


def test_dot_has_every_vertex_and_edge():
    graph = small()
    text = graph.dot()
    assert text.startswith("digraph adjoint {")
    assert text.count(" -> ") == sum(len(vertex.sources) for vertex in graph.vertices)
    assert text.count("[label=") == len(graph)
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("graph", [small(), deep(150)], ids=["7 vertices", "303 vertices"])
def test_svg_is_well_formed_and_shows_every_vertex(graph):
    root = ET.fromstring(graph.svg())
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == space + "svg"
    assert len(root.findall(f"{space}g/{space}title")) == len(graph)
    assert not re.search(r"\bnan\b|\binf\b", graph.svg())


@pytest.mark.parametrize("steps", [3, 20, 150])
def test_boxes_do_not_overlap_and_stay_inside(steps):
    layout = arrange(deep(steps).vertices)
    boxes = layout.boxes
    for place, a in enumerate(boxes):
        assert a.width / 2 < a.x < layout.width - a.width / 2
        assert a.height / 2 < a.y < layout.height - a.height / 2
        for b in boxes[place + 1 :]:
            apart_across = abs(a.x - b.x) >= (a.width + b.width) / 2
            apart_down = abs(a.y - b.y) >= (a.height + b.height) / 2
            assert apart_across or apart_down, (a, b)


def test_a_deep_graph_is_folded_to_about_a_square():
    layout = arrange(deep(150).vertices)
    assert 0.4 < layout.width / layout.height < 2.5


def test_a_parameter_used_often_is_named_in_the_boxes():
    graph = deep(20)
    assert graph.svg().count('class="parameter"') == 0
    assert len(re.findall(r'class="tag"[^>]*>← \w+(?:, \w+)*</text>', graph.svg())) == 40


def network(layers):
    model = torch.nn.Sequential(*[torch.nn.Linear(4, 4) for _ in range(layers)])
    return torch.viz.graph(model(torch.ones(2, 4)).tanh().sum(), dict(model.named_parameters()))


def test_parameters_have_arrows_in_one_column_and_are_named_where_a_picture_folds():
    assert network(5).svg().count('class="parameter"') == 10
    folded = network(100)
    assert folded.svg().count('class="parameter"') == 0
    assert len(re.findall(r'class="tag"[^>]*>← \d+\.\w+, \d+\.\w+</text>', folded.svg())) == 100
    layout = arrange(folded.vertices)
    assert layout.panel is not None
    left, top, width, height = layout.panel
    assert height < layout.height
    for box in layout.boxes:
        inside = left < box.x < left + width and top < box.y < top + height
        assert inside == (box.vertex.kind == PARAMETER)
    for place, a in enumerate(layout.boxes):
        for b in layout.boxes[place + 1 :]:
            apart_across = abs(a.x - b.x) >= (a.width + b.width) / 2
            assert apart_across or abs(a.y - b.y) >= (a.height + b.height) / 2, (a, b)


@pytest.mark.parametrize("steps", [3, 150])
def test_arrows_stay_inside_the_picture(steps):
    text = deep(steps).svg()
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', text).groups())
    paths = [re.findall(r"-?\d+\.\d", path) for path in re.findall(r'<path d="([^"]+)"', text)]
    assert sum(map(len, paths)) > steps
    for path in paths:
        assert all(0 <= float(x) <= width for x in path[::2])
        assert all(0 <= float(y) <= height for y in path[1::2])


def test_results_may_be_several_and_leaves():
    x = torch.ones(2, requires_grad=True)
    graph = torch.viz.graph((x * 2, x + 1))
    assert [vertex.kind for vertex in graph.vertices].count(RESULT) == 2
    assert [vertex.kind for vertex in torch.viz.graph(x).vertices] == [PARAMETER]


def test_notebooks_get_the_picture_and_the_text():
    graph = small()
    assert graph._repr_mimebundle_() == {"image/svg+xml": graph.svg(), "text/plain": str(graph)}
    assert graph.svg() in graph.html()


def test_labels_are_escaped():
    w = torch.ones(2, requires_grad=True)
    graph = torch.viz.graph(w * 2, params={'<"w">&': w})
    ET.fromstring(graph.svg())
    assert "&lt;&quot;w&quot;>&amp;" in graph.mermaid()


def test_only_tensors_have_graphs():
    with pytest.raises(TypeError, match=r"graph\(\) shows Tensors, not float"):
        torch.viz.graph(1.5)


@pytest.mark.parametrize("argument", ["params", "inputs"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.5], r"gives names to Tensors, as in \w+=\{'w': w\}, not list"),
        ({"w": 1.5}, r"\['w'\] must be a Tensor, not float"),
        ({1: torch.ones(2)}, r"the names in \w+ are text, .*, not int"),
    ],
)
def test_names_are_given_to_tensors(argument, value, message):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match=message):
        torch.viz.graph(x * 2, **{argument: value})


def test_a_long_chain_is_walked_without_recursion():
    x = torch.ones(1, requires_grad=True)
    z = x
    for _ in range(20_000):
        z = z + x
    assert len(torch.viz.graph(z)) == 20_001
    text = str(torch.viz.graph(z))
    assert text.count(" = ") + text.count("Add [1]") >= 20_000
    assert max(map(len, text.splitlines())) < 150
    assert "(goes on at [" in text


def test_a_graph_drawn_after_backward_says_what_is_missing():
    x = torch.ones(2)
    w = torch.ones(2, requires_grad=True)
    loss = (x * w).sum()
    assert torch.viz.graph(loss).note == ""
    loss.backward()
    late = torch.viz.graph(loss)
    assert "x: input" not in str(late)
    assert re.search(r"\(inputs .* backward at .*test_graph\.py:\d+ freed", str(late))
    loss = (x * w).sum()
    loss.backward(retain_graph=True)
    assert "x: input" in str(torch.viz.graph(loss))
