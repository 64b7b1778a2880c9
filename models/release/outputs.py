"""The features of a graph, which are its second output, kept out of the quantisation and put back behind it.

Were they there while NNCF looks, it would place its ranges otherwise, and the probabilities would not be the same. Put
back, they are made of the quantised values, which are there anyhow, and computed in 32 bits.
"""

from collections.abc import Iterator

import openvino as ov

FAKE_QUANTISE = "FakeQuantize"


def probabilities_alone(graph: ov.Model) -> ov.Model:
    """A copy of a graph that answers nothing but probabilities."""
    alone = graph.clone()
    for result in alone.get_results()[1:]:
        alone.remove_result(result)
    return alone


def with_features(quantised: ov.Model, graph: ov.Model) -> ov.Model:
    """A quantised graph with the features of the one that it was made of; as it is where that one answers none.

    Args:
        quantised: Made of `probabilities_alone(graph)`; its nodes keep their names.
        graph: With both outputs.
    """
    if len(graph.get_results()) == 1:
        return quantised
    probabilities, features = graph.clone().get_results()
    shared = {node.get_friendly_name() for node in _made_of(probabilities)}
    there = {node.get_friendly_name(): node for node in quantised.get_ordered_ops()}
    for node in [node for node in _made_of(features) if node.get_friendly_name() not in shared]:
        for port in node.inputs():
            source = port.get_source_output()
            name = source.get_node().get_friendly_name()
            if name in shared and source.get_node().get_type_name() != "Constant":
                port.replace_source_output(_quantised(there[name].output(source.get_index())))
    both = ov.Model([*quantised.get_results(), features], quantised.get_parameters(), quantised.get_friendly_name())
    both.validate_nodes_and_infer_types()
    return both


def _made_of(result: ov.Node) -> Iterator[ov.Node]:
    """A node and all that it is made of, each once."""
    seen: set[str] = set()
    waiting = [result]
    while waiting:
        node = waiting.pop()
        if node.get_friendly_name() not in seen:
            seen.add(node.get_friendly_name())
            yield node
            waiting += [port.get_source_output().get_node() for port in node.inputs()]


def _quantised(output: ov.Output) -> ov.Output:
    """What the layers that follow read: the output itself, or its rounding where it is quantised."""
    readers = [port.get_node() for port in output.get_target_inputs()]
    return next((node.output(0) for node in readers if node.get_type_name() == FAKE_QUANTISE), output)
