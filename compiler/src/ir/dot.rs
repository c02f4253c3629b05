//! A drawing of a module in Graphviz's language, for people to look at.
//!
//! Every function, loop and branch is a frame; so is every layer, where names tell layers apart (`loc("…/layer0/…")`, or the
//! names of the weights that operations read). Small constants, weights and the bodies of reductions are written into the
//! node that reads them; edges carry types; colours tell kinds of operations apart.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use super::{AttrMap, Attribute, BlockId, Definition, Dim, Module, OpId, Opcode, Type, ValueId, module::UserLocation};

/// The drawing of the whole module.
pub fn render(module: &Module) -> String {
    let mut drawing = Drawing { module, text: String::new(), folded: HashMap::new(), edges: String::new() };
    drawing.line(0, "digraph model {");
    drawing.line(1, "rankdir=TB; ranksep=0.3; compound=true; fontname=\"Helvetica\"; fontsize=11;");
    drawing.line(1, "node [shape=box, style=\"filled,rounded\", fontname=\"Helvetica\", fontsize=10, height=0.25, margin=\"0.08,0.04\"];");
    drawing
        .line(1, "edge [fontname=\"Helvetica\", fontsize=8, color=\"#555555\", fontcolor=\"#777777\", arrowsize=0.6];");
    for function in module.functions() {
        drawing.function(function);
    }
    let edges = std::mem::take(&mut drawing.edges);
    drawing.text += &edges;
    drawing.line(0, "}");
    drawing.text
}

/// What sort of work an operation is: its colour.
fn colour(module: &Module, op: OpId) -> &'static str {
    match module.op(op).opcode {
        Opcode::StablehloDotGeneral | Opcode::StablehloDot | Opcode::StablehloConvolution => "#f4a582",
        Opcode::StablehloReduce | Opcode::StablehloReduceWindow | Opcode::StablehloSort | Opcode::ChloTopK => "#fee08b",
        Opcode::StablehloGather
        | Opcode::StablehloScatter
        | Opcode::StablehloDynamicSlice
        | Opcode::StablehloDynamicUpdateSlice => "#a6d96a",
        Opcode::StablehloReshape
        | Opcode::StablehloTranspose
        | Opcode::StablehloBroadcastInDim
        | Opcode::StablehloSlice
        | Opcode::StablehloConcatenate
        | Opcode::StablehloPad
        | Opcode::StablehloReverse
        | Opcode::StablehloIota
        | Opcode::StablehloConstant
        | Opcode::StablehloConvert => "#eeeeee",
        Opcode::FuncCall | Opcode::StablehloCustomCall | Opcode::StablehloRng | Opcode::StablehloRngBitGenerator => {
            "#fdae61"
        }
        Opcode::FxCall => "#c2a5cf",
        opcode if opcode.def().is_elementwise() => "#abd9e9",
        _ => "#ffffff",
    }
}

struct Drawing<'m> {
    module: &'m Module,
    text: String,
    edges: String,
    /// What is written into readers instead of drawing a node.
    folded: HashMap<ValueId, String>,
}

impl Drawing<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        let _ = writeln!(self.text, "{:width$}{line}", "", width = 2 * depth);
    }

    fn function(&mut self, function: OpId) {
        let Some(body) = self.module.region_block(function, 0) else { return };
        let name = self.module.op(function).attr("sym_name").and_then(Attribute::as_str).unwrap_or("?").to_owned();
        self.line(1, &format!("subgraph cluster_f{} {{ label={}; color=\"#888888\";", function.index(), quote(&name)));
        let attrs = argument_attrs(self.module, function);
        for (at, argument) in self.module.block(body).arguments.iter().enumerate() {
            let name = argument_name(self.module, attrs.get(at), *argument, at);
            if attrs.get(at).is_some_and(is_weight) {
                self.folded.insert(*argument, name);
            } else {
                self.argument(2, *argument, &name);
            }
        }
        let layers = layers(self.module, body, &self.folded);
        self.block(2, body, &layers);
        self.line(1, "}");
    }

    fn argument(&mut self, depth: usize, argument: ValueId, name: &str) {
        let node = format!("v{}", argument.index());
        let label = format!("{name}\n{}", type_label(self.module.ty(argument)));
        self.line(depth, &format!("{node} [shape=ellipse, fillcolor=\"#d9f0d3\", label={}];", quote(&label)));
    }

    /// Draws the operations of a block, those of a layer inside its frame.
    fn block(&mut self, depth: usize, block: BlockId, layers: &HashMap<OpId, String>) {
        let mut frames: BTreeMap<&str, Vec<OpId>> = BTreeMap::new();
        for op in self.module.block_ops(block) {
            if !self.fold(op) {
                frames.entry(layers.get(&op).map_or("", String::as_str)).or_default().push(op);
            }
        }
        for (at, (layer, ops)) in frames.into_iter().enumerate() {
            if layer.is_empty() {
                ops.into_iter().for_each(|op| self.op(depth, op));
                continue;
            }
            let frame = format!(
                "subgraph cluster_b{}_{at} {{ label={}; color=\"#bbbbbb\"; style=dashed;",
                block_key(self.module, block),
                quote(layer)
            );
            self.line(depth, &frame);
            ops.into_iter().for_each(|op| self.op(depth + 1, op));
            self.line(depth, "}");
        }
    }

    /// True if the operation is written into its readers.
    fn fold(&mut self, op: OpId) -> bool {
        let operation = self.module.op(op);
        let text = match operation.opcode {
            Opcode::StablehloConstant | Opcode::ArithConstant => operation.attr("value").and_then(constant_label),
            Opcode::StablehloBroadcastInDim | Opcode::StablehloReshape | Opcode::StablehloConvert => {
                operation.operands.first().and_then(|value| self.folded.get(value).cloned())
            }
            _ => None,
        };
        if let (Some(text), Some(result)) = (text, operation.results.first()) {
            self.folded.insert(*result, text);
            return true;
        }
        false
    }

    fn op(&mut self, depth: usize, op: OpId) {
        let operation = self.module.op(op);
        let name = format!("o{}", op.index());
        let draws_regions = matches!(
            operation.opcode,
            Opcode::StablehloWhile
                | Opcode::StablehloIf
                | Opcode::StablehloCase
                | Opcode::PygWhile
                | Opcode::PygSwitch
                | Opcode::PygSegment
                | Opcode::PygFused
        );
        let label = label(self.module, op, &self.folded);
        let shape = if operation.opcode.def().is_terminator() { "shape=plaintext, " } else { "" };
        let fill = colour(self.module, op);
        self.line(depth, &format!("{name} [{shape}fillcolor=\"{fill}\", label={}];", quote(&label)));
        for operand in &operation.operands {
            self.edge(*operand, &name);
        }
        if draws_regions {
            for region in 0..operation.regions.len() {
                self.region(depth, op, region);
            }
        }
    }

    fn region(&mut self, depth: usize, op: OpId, region: usize) {
        let Some(block) = self.module.region_block(op, region) else { return };
        let opcode = self.module.op(op).opcode;
        let what = match (opcode, region) {
            (Opcode::StablehloWhile | Opcode::PygWhile, 0) => "while".to_owned(),
            (Opcode::StablehloWhile | Opcode::PygWhile, _) => "do".to_owned(),
            (Opcode::StablehloIf, 0) => "then".to_owned(),
            (Opcode::StablehloIf, _) => "else".to_owned(),
            (Opcode::PygSegment, _) => "segment".to_owned(),
            (Opcode::PygFused, _) => "stages".to_owned(),
            _ => format!("case {region}"),
        };
        self.line(
            depth,
            &format!("subgraph cluster_r{}_{region} {{ label={}; color=\"#888888\";", op.index(), quote(&what)),
        );
        for (at, argument) in self.module.block(block).arguments.iter().enumerate() {
            self.argument(depth + 1, *argument, &format!("carried {at}"));
        }
        self.block(depth + 1, block, &HashMap::new());
        self.line(depth, "}");
    }

    /// Where a value comes from may be drawn later, in the frame of another layer.
    fn edge(&mut self, value: ValueId, to: &str) {
        if self.folded.contains_key(&value) {
            return;
        }
        let from = match self.module.value(value).definition {
            Definition::Result { op, .. } => format!("o{}", op.index()),
            Definition::Argument { .. } => format!("v{}", value.index()),
        };
        let label = type_label(self.module.ty(value));
        let _ = writeln!(self.edges, "  {from} -> {to} [label={}];", quote(&label));
    }
}

fn block_key(module: &Module, block: BlockId) -> usize {
    module.block(block).first().map_or(0, OpId::index)
}

/// The operation's name, what is folded into it, and what it combines with.
fn label(module: &Module, op: OpId, folded: &HashMap<ValueId, String>) -> String {
    let operation = module.op(op);
    let name = operation.opcode.name();
    let mut text = name.split_once('.').map_or(name, |(_, short)| short).to_owned();
    for key in ["callee", "call_target_name", "target", "kernel", "comparison_direction"] {
        match operation.attr(key) {
            Some(Attribute::String(value)) => text += &format!(" {value}"),
            Some(Attribute::Symbol(path)) => text += &format!(" @{}", path.join("::@")),
            Some(Attribute::Enum(case)) => text += &format!(" {}", case.name()),
            _ => {}
        }
    }
    // The body of a reduction or scatter is nearly always one operation.
    if let Some(block) = module.region_block(op, 0) {
        let mut inner = module.block_ops(block).filter(|op| !module.op(*op).opcode.def().is_terminator());
        if let (Some(only), None) = (inner.next(), inner.next()) {
            let name = module.op(only).opcode.name();
            text += &format!(" ({})", name.split_once('.').map_or(name, |(_, short)| short));
        }
    }
    for operand in &operation.operands {
        if let Some(constant) = folded.get(operand) {
            text += &format!("\n{constant}");
        }
    }
    if operation.opcode == Opcode::FuncReturn {
        let types: Vec<String> = operation.operands.iter().map(|value| type_label(module.ty(*value))).collect();
        text += &format!(" {}", types.join(", "));
    }
    text
}

/// The literal of a constant of one value; none for others.
fn constant_label(value: &Attribute) -> Option<String> {
    match value {
        Attribute::Dense(elements) => {
            let integer = elements.splat_integer().map(|value| value.to_string());
            integer.or_else(|| elements.splat_float().map(|value| value.to_string()))
        }
        Attribute::Integer { value, .. } => Some(value.to_string()),
        Attribute::Float { bits, .. } => Some(f64::from_bits(*bits).to_string()),
        _ => None,
    }
}

fn type_label(ty: &Type) -> String {
    match ty {
        Type::Tensor(tensor) => {
            let mut text = String::new();
            for dim in &tensor.shape {
                match dim {
                    Dim::Static(extent) => text += &format!("{extent}x"),
                    Dim::Symbol(symbol) => text += &format!("{}x", symbol.name),
                }
            }
            text + &element_label(&tensor.element)
        }
        Type::Scalar(element) => element_label(element),
        Type::Tuple(_) => "tuple".to_owned(),
        Type::Function(_) => "function".to_owned(),
        Type::None => "none".to_owned(),
        Type::Dialect(name) => name.to_string(),
    }
}

fn element_label(element: &super::ElementType) -> String {
    match (element, element.dtype()) {
        (super::ElementType::Index, _) => "index".to_owned(),
        (super::ElementType::Float(kind), _) => kind.name().to_owned(),
        (_, Some(dtype)) => dtype.name().to_owned(),
        _ => "?".to_owned(),
    }
}

fn argument_attrs(module: &Module, function: OpId) -> Vec<AttrMap> {
    let Some(Attribute::Array(items)) = module.op(function).attr("arg_attrs") else { return Vec::new() };
    let map =
        |item: &Attribute| if let Attribute::Dictionary(map) = item { (**map).clone() } else { AttrMap::default() };
    items.iter().map(map).collect()
}

fn argument_name(module: &Module, attrs: Option<&AttrMap>, value: ValueId, at: usize) -> String {
    let named = ["pyg.name", "fx.target", "fx.name"].iter().find_map(|key| attrs?.get(key)?.as_str());
    let named = named.filter(|name| !name.is_empty()).map(str::to_owned);
    named.or_else(|| module.value(value).name.as_deref().map(str::to_owned)).unwrap_or_else(|| format!("arg{at}"))
}

/// True for arguments that are the same in every step.
fn is_weight(attrs: &AttrMap) -> bool {
    let text = |key: &str| attrs.get(key).and_then(Attribute::as_str).unwrap_or("").to_ascii_lowercase();
    text("pyg.bind") == "once" || matches!(text("fx.kind").as_str(), "parameter" | "constant_tensor")
}

/// The layer of every operation that belongs to one: named by its location, or the last layer whose weights it depends on.
fn layers(module: &Module, body: BlockId, weights: &HashMap<ValueId, String>) -> HashMap<OpId, String> {
    let mut of_value: HashMap<ValueId, usize> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut found = HashMap::new();
    for op in module.block_ops(body) {
        let operation = module.op(op);
        let by_location = location_layer(module.location(operation.loc).user.as_deref());
        let by_weight =
            || operation.operands.iter().find_map(|value| weights.get(value)).map(|name| numbered_prefix(name));
        let mut layer = operation.operands.iter().filter_map(|value| of_value.get(value)).max().copied();
        if let Some(name) = by_location.or_else(by_weight) {
            let known = names.iter().rposition(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            layer = layer.max(Some(known));
        }
        if let Some(layer) = layer {
            of_value.extend(operation.results.iter().map(|value| (*value, layer)));
            found.insert(op, names[layer].clone());
        }
    }
    found
}

/// Everything of a name up to its first number: `p_layers_0_wq` gives `p_layers_0`. Empty if it has none.
fn numbered_prefix(name: &str) -> String {
    let Some(start) = name.find(|c: char| c.is_ascii_digit()) else { return String::new() };
    let digits = name[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len() - start);
    name[..start + digits].to_owned()
}

/// `jit(main)/layer0/dot_general` gives `layer0`.
fn location_layer(location: Option<&UserLocation>) -> Option<String> {
    match location? {
        UserLocation::Name { name, child } => {
            let parts: Vec<&str> = name.split('/').filter(|part| !part.contains('(')).collect();
            let (_, scopes) = parts.split_last()?;
            let numbered = scopes.iter().position(|part| part.contains(|c: char| c.is_ascii_digit()));
            match numbered {
                Some(at) => Some(scopes[..=at].join("/")),
                None => location_layer(child.as_deref()),
            }
        }
        UserLocation::CallSite { callee, caller } => {
            location_layer(Some(callee)).or_else(|| location_layer(Some(caller)))
        }
        _ => None,
    }
}

/// A quoted label; a line break stays one.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
