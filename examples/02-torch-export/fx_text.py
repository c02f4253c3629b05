"""Writes an FX graph of torch.export as MLIR text: a generic `fx.call` for each call, with its device and stride, and signature
attributes that say which argument is a parameter, a buffer or an input, and which result replaces which argument."""
import json, struct, torch
from itertools import zip_longest
from torch.fx import Node

ELEMENT = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.float64: "f64", torch.bool: "i1",
           torch.int64: "si64", torch.int32: "si32", torch.int16: "si16", torch.int8: "si8", torch.uint8: "ui8"}
quote = lambda value: json.dumps(str(value))
static = lambda size, dynamic: str(size) if isinstance(size, int) else dynamic
fx_attributes = lambda given: "{" + ", ".join(f"fx.{key} = {quote(value)}" for key, value in given.items()) + "}"

def type_of(value) -> str:
    if isinstance(value, torch.Tensor):
        return f"tensor<{''.join(static(size, '?') + 'x' for size in value.shape)}{ELEMENT[value.dtype]}>"
    kinds = {"i1": (bool, torch.SymBool), "i64": (int, torch.SymInt), "f64": (float, torch.SymFloat)}
    return next((name for name, types in kinds.items() if isinstance(value, types)), "none")

def results_of(node: Node) -> list:
    value = node.meta.get("val")
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]

def reference(node: Node) -> str:
    """`%name`, or `%name#1` for an element of a call with several results: taking one out is not an operation."""
    if getattr(node.target, "__name__", "") == "getitem" and isinstance(node.args[0].meta.get("val"), (list, tuple)):
        source, index = node.args
        return f"{reference(source)}#{index}" if len(results_of(source)) > 1 else reference(source)
    return f"%{node.name}"

def attribute(argument, operands: list) -> str:
    """A Python argument as an attribute. Nodes become operands, and `"%0"` stands for the first of them."""
    if isinstance(argument, Node) and argument.op == "get_attr":  # a sub-graph of cond or while_loop
        return f"@main.{argument.target}"
    if isinstance(argument, Node):
        operands.append(argument)
        return quote(f"%{len(operands) - 1}")
    if isinstance(argument, (list, tuple)):
        return f"[{', '.join(attribute(item, operands) for item in argument)}]"
    if argument is None or isinstance(argument, bool):
        return {None: "unit", True: "true", False: "false"}[argument]
    if isinstance(argument, float):
        return f"0x{struct.pack('>d', argument).hex().upper()} : f64"
    tagged = isinstance(argument, (torch.dtype, torch.device, torch.layout, torch.memory_format))
    tag, text = (type(argument).__name__, str(argument).removeprefix("torch.")) if tagged else ("str", argument)
    return f"{argument} : i64" if isinstance(argument, int) else quote(f"{tag}:{text}")

def call(node: Node) -> str:
    operands, values = [], results_of(node)
    target = str(node.target) if hasattr(node.target, "_schema") else node.target.__name__
    attributes = f"target = {quote(target)}, args = {attribute(node.args, operands)}"
    if node.kwargs:
        attributes += ", kwargs = {" + ", ".join(f"{key} = {attribute(value, operands)}" for key, value in node.kwargs.items()) + "}"
    for tensor in [value for value in values if isinstance(value, torch.Tensor)][:1]:
        attributes += f", device = {quote(tensor.device)}, stride = [{', '.join(static(size, '-1') for size in tensor.stride())}]"
    result = f"%{node.name}{f':{len(values)}' if len(values) > 1 else ''} = " if values else ""
    types = ", ".join(type_of(operand.meta.get("val")) for operand in operands)
    return f'{result}"fx.call"({", ".join(map(reference, operands))}) {{{attributes}}} : ({types}) -> ({", ".join(map(type_of, values))})'

def function(graph, name: str, kinds: dict, result_kinds: list) -> str:
    arguments, lines, results, subgraphs = [], [], [], ""
    for node in graph.nodes:
        value = node.meta.get("val")
        if node.op == "placeholder":
            device = {"device": value.device} if isinstance(value, torch.Tensor) else {}
            arguments.append(f"%{node.name}: {type_of(value)} {fx_attributes({'name': node.name, **kinds.get(node.name, {}), **device})}")
        elif node.op == "output":
            given = node.args[0] if isinstance(node.args[0], (list, tuple)) else [node.args[0]]
            outputs = [(item, type_of(item.meta.get("val")), kind) for item, kind in zip_longest(given, result_kinds) if isinstance(item, Node)]
            results = [f"{ty} {fx_attributes(kind)}" if kind else ty for _, ty, kind in outputs]
            listed = f" {', '.join(reference(item) for item, *_ in outputs)} : {', '.join(ty for _, ty, _ in outputs)}" if outputs else ""
            lines.append(f"return{listed}")
        elif node.op == "get_attr":
            subgraphs += function(getattr(graph.owning_module, node.target).graph, f"{name}.{node.target}", {}, [])
        elif reference(node) == f"%{node.name}":
            lines.append(call(node))
    body = "".join(f"    {line}\n" for line in lines)
    head = f"func.func {'' if name == 'main' else 'private '}@{name}({', '.join(arguments)}) -> ({', '.join(results)})"
    return f"  {head} {{\n{body}  }}\n{subgraphs}"

def fx_text(program: torch.export.ExportedProgram) -> str:
    """The text of an exported program; call `run_decompositions()` first for core-ATen form, which is the one that runs."""
    describe = lambda spec: {key: value for key, value in (("kind", spec.kind.name.lower()), ("target", spec.target)) if value}
    kinds = {spec.arg.name: describe(spec) for spec in program.graph_signature.input_specs}
    return "module {\n" + function(program.graph, "main", kinds, [describe(spec) for spec in program.graph_signature.output_specs]) + "}\n"
