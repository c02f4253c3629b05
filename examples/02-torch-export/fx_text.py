"""Writes an FX graph of torch.export as MLIR text: one generic `fx.call` for each call, with its device and stride, and signature
attributes that say which argument is a parameter, a buffer or an input, and which result replaces which argument."""
import json
import struct

import torch
from torch.fx import GraphModule, Node

ELEMENT = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.float64: "f64", torch.bool: "i1",
           torch.int64: "si64", torch.int32: "si32", torch.int16: "si16", torch.int8: "si8", torch.uint8: "ui8", torch.complex64: "complex<f32>"}
TAGGED = (torch.dtype, torch.device, torch.layout, torch.memory_format)
quote = lambda text: json.dumps(str(text))
dimension = lambda size: str(size) if isinstance(size, int) else "?"


def type_of(value) -> str:
    if isinstance(value, torch.Tensor):
        return f"tensor<{''.join(dimension(size) + 'x' for size in value.shape)}{ELEMENT[value.dtype]}>"
    for kinds, name in (((bool, torch.SymBool), "i1"), ((int, torch.SymInt), "i64"), ((float, torch.SymFloat), "f64")):
        if isinstance(value, kinds):
            return name
    return "none"


def subgraph_of(node: Node):
    graph = getattr(node.graph.owning_module, node.target, None) if node.op == "get_attr" else None
    return graph if isinstance(graph, GraphModule) else None


def results_of(node: Node) -> list:
    value = node.meta.get("val")
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def reference(node: Node) -> str:
    """`%name`, or `%name#1` for an element of a call with several results: taking it out is not an operation."""
    if getattr(node.target, "__name__", "") == "getitem" and isinstance(node.args[0].meta.get("val"), (list, tuple)):
        source, index = node.args
        return f"{reference(source)}#{index}" if len(results_of(source)) > 1 else reference(source)
    return f"%{node.name}"


def attribute(argument, operands: list) -> str:
    """A Python argument as an attribute. Nodes become operands, and `"%0"` stands for the first of them."""
    if isinstance(argument, Node):
        if subgraph_of(argument) is not None:
            return f"@main.{argument.target}"
        operands.append(argument)
        return quote(f"%{len(operands) - 1}")
    if isinstance(argument, (list, tuple)):
        return f"[{', '.join(attribute(item, operands) for item in argument)}]"
    if isinstance(argument, float):
        return f"0x{struct.pack('>d', argument).hex().upper()} : f64"
    if isinstance(argument, TAGGED):
        return quote(f"{type(argument).__name__}:{str(argument).removeprefix('torch.')}")
    simple = {None: "unit", True: "true", False: "false"}
    if argument is None or isinstance(argument, bool):
        return simple[argument]
    return f"{argument} : i64" if isinstance(argument, int) else quote(f"str:{argument}")


def call(node: Node) -> str:
    operands, values = [], results_of(node)
    target = node.target if hasattr(node.target, "_schema") or isinstance(node.target, str) else node.target.__name__
    attributes = [f"target = {quote(target)}", f"args = {attribute(node.args, operands)}"]
    if node.kwargs:
        attributes.append("kwargs = {" + ", ".join(f"{key} = {attribute(value, operands)}" for key, value in node.kwargs.items()) + "}")
    tensor = next((value for value in values if isinstance(value, torch.Tensor)), None)
    if tensor is not None:
        strides = (str(stride) if isinstance(stride, int) else "-1" for stride in tensor.stride())
        attributes += [f"device = {quote(tensor.device)}", f"stride = [{', '.join(strides)}]"]
    several = f":{len(values)}" if len(values) > 1 else ""
    types = ", ".join(type_of(operand.meta.get("val")) for operand in operands)
    return ((f"%{node.name}{several} = " if values else "") + f'"fx.call"({", ".join(map(reference, operands))}) '
            f"{{{', '.join(attributes)}}} : ({types}) -> ({', '.join(map(type_of, values))})")


def function(graph, name: str, kinds: dict, result_kinds: list) -> str:
    arguments, body, results, subgraphs = [], [], [], []
    for node in graph.nodes:
        value = node.meta.get("val")
        if node.op == "placeholder":
            given = {"name": node.name, **kinds.get(node.name, {}), **({"device": value.device} if isinstance(value, torch.Tensor) else {})}
            arguments.append(f"%{node.name}: {type_of(value)} {{{', '.join(f'fx.{key} = {quote(v)}' for key, v in given.items())}}}")
        elif node.op == "output":
            nodes = [item for item in torch.utils._pytree.tree_leaves(node.args) if isinstance(item, Node)]
            types = [type_of(item.meta.get("val")) for item in nodes]
            body.append(f"return {', '.join(map(reference, nodes))} : {', '.join(types)}" if nodes else "return")
            for index, ty in enumerate(types):
                given = result_kinds[index] if index < len(result_kinds) else {}
                results.append(ty + (f" {{{', '.join(f'fx.{key} = {quote(v)}' for key, v in given.items())}}}" if given else ""))
        elif node.op == "get_attr":
            subgraphs.append(function(subgraph_of(node).graph, f"{name}.{node.target}", {}, []))
        elif reference(node) == f"%{node.name}":
            body.append(call(node))
    visibility = "" if name == "main" else "private "
    lines = "".join(f"    {line}\n" for line in body)
    return f"  func.func {visibility}@{name}({', '.join(arguments)}) -> ({', '.join(results)}) {{\n{lines}  }}\n" + "".join(subgraphs)


def fx_text(program: torch.export.ExportedProgram) -> str:
    """The text of an exported program; call `run_decompositions()` first for core-ATen form, which is the one that runs."""
    describe = lambda spec: {key: value for key, value in (("kind", spec.kind.name.lower()), ("target", spec.target)) if value}
    kinds = {spec.arg.name: describe(spec) for spec in program.graph_signature.input_specs if hasattr(spec.arg, "name")}
    result_kinds = [describe(spec) for spec in program.graph_signature.output_specs if hasattr(spec.arg, "name")]
    return "module {\n" + function(program.graph, "main", kinds, result_kinds) + "}\n"
