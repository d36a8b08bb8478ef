"""Follows the code of a TorchScript module, statement by statement, on shapes alone.

Python's parser has read the code; here its few kinds of statements are given a meaning
of our own. Nothing of the file is executed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boundkit.layers.script_attributes import Attributes
from boundkit.layers.script_leaves import is_leaf, leaf_result
from boundkit.layers.script_names import dotted
from boundkit.layers.script_scalars import builtin_call, scalar_call, size_call
from boundkit.layers.script_values import (
    NN,
    UNKNOWN,
    NotFollowed,
    Place,
    ScriptFunction,
    ScriptMethod,
    ScriptObject,
    ScriptTensor,
    TooMuch,
    tensors_of,
    torch_class,
)
from boundkit.layers.script_variables import assign, bind, item

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from boundkit.layers.script_calls import Recorder
    from boundkit.readers.script_program import ScriptProgram

__all__ = ["Follower"]

_DEEPEST = 60
_MOST_STEPS = 200_000
#: Calls whose first argument is a type.
_TYPED = frozenset({"annotate", "unchecked_cast"})


@dataclass(frozen=True, slots=True)
class _Returned:
    value: Any


class Follower:
    """The meaning of statements and expressions, for one module and one input."""

    def __init__(self, program: ScriptProgram, recorder: Recorder) -> None:
        self._code = program.code
        self._recorder = recorder
        self._attributes = Attributes(program, recorder)
        self._steps = 0

    def forward(self, given: Sequence[Any]) -> Any:
        """Return what the module makes of its inputs.

        Args:
            given: Its inputs.

        Raises:
            NotFollowed: It depends on numbers, or has a form that is not known.
            TooMuch: There is no end of it.
        """
        owner = self._attributes.root()
        return self._method(owner, "forward", given, Place(label=torch_class(owner)))

    def _method(
        self, owner: ScriptObject, name: str, given: Sequence[Any], place: Place
    ) -> Any:
        definition = self._code.method(owner.class_name, name)
        if definition is None:
            raise NotFollowed(f"the code of {owner.path!a} has no method {name!a}")
        if self._code.hooked(owner.class_name):
            raise NotFollowed(f"{owner.path!a} has hooks")
        return self._body(definition, (owner, *given), {}, place)

    def _body(
        self,
        definition: ast.FunctionDef,
        given: Sequence[Any],
        keywords: dict[str, Any],
        place: Place,
    ) -> Any:
        if place.depth > _DEEPEST:
            raise TooMuch("its code calls itself without end")
        inside = Place(place.path, place.label, place.depth + 1)
        scope = bind(
            definition, given, keywords, lambda node: self._value(node, {}, inside)
        )
        done = self._block(definition.body, scope, inside)
        return done.value if done is not None else None

    def _block(
        self, body: Iterable[ast.stmt], scope: dict[str, Any], place: Place
    ) -> _Returned | None:
        for statement in body:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise TooMuch("its code runs for long")
            done = self._statement(statement, scope, place)
            if done is not None:
                return done
        return None

    def _statement(
        self, statement: ast.stmt, scope: dict[str, Any], place: Place
    ) -> _Returned | None:
        match statement:
            case ast.Assign(targets=[target], value=value):
                assign(target, self._value(value, scope, place), scope, self._parts)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                assign(target, self._value(value, scope, place), scope, self._parts)
            case ast.Expr(value=value):
                self._value(value, scope, place)
            case ast.Return(value=value):
                found = None if value is None else self._value(value, scope, place)
                return _Returned(found)
            case ast.If(test=test, body=body, orelse=other):
                return self._block(
                    body if self._known(test, scope, place) else other, scope, place
                )
            case ast.For() | ast.While():
                return self._loop(statement, scope, place)
            case ast.Pass() | ast.AnnAssign(value=None):
                pass
            case _:
                kind = type(statement).__name__
                raise NotFollowed(f"its code holds a statement of the kind {kind}")
        return None

    def _known(self, test: ast.expr, scope: dict[str, Any], place: Place) -> bool:
        found = self._value(test, scope, place)
        if found is UNKNOWN or tensors_of(found):
            where = f" of {place.path!a}" if place.path else ""
            raise NotFollowed(
                f"line {test.lineno} of the code{where} decides by numbers that only a run"
                " would tell"
            )
        return bool(found)

    def _loop(
        self, loop: ast.For | ast.While, scope: dict[str, Any], place: Place
    ) -> _Returned | None:
        if isinstance(loop, ast.While):
            while self._known(loop.test, scope, place):
                if (done := self._block(loop.body, scope, place)) is not None:
                    return done
                self._steps += 1
            return None
        items = self._value(loop.iter, scope, place)
        if not isinstance(items, list | tuple | range):
            raise NotFollowed("its code repeats as often as only a run would tell")
        for value in items:
            assign(loop.target, value, scope, self._parts)
            if (done := self._block(loop.body, scope, place)) is not None:
                return done
            # An empty body is no statement.
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise TooMuch("its code runs for long")
        return None

    def _value(self, node: ast.expr, scope: dict[str, Any], place: Place) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in scope:
                return scope[name]
            case ast.Name(id="inf" | "nan" as name):
                return float(name)
            case ast.Call():
                return self._call(node, scope, place)
            case ast.List(elts=parts):
                return [self._value(part, scope, place) for part in parts]
            case ast.Tuple(elts=parts):
                return tuple(self._value(part, scope, place) for part in parts)
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(node, owner, name, scope, place)
            case ast.Subscript(value=owner, slice=index):
                return item(
                    self._value(owner, scope, place),
                    self._value(index, scope, place),
                    self._parts,
                )
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return scalar_call("neg", (self._value(inner, scope, place),))
            case ast.IfExp(test=test, body=yes, orelse=no):
                chosen = yes if self._known(test, scope, place) else no
                return self._value(chosen, scope, place)
        return UNKNOWN

    def _attribute(
        self,
        node: ast.expr,
        owner: ast.expr,
        name: str,
        scope: dict[str, Any],
        place: Place,
    ) -> Any:
        qualified = dotted(node, scope)
        if qualified is not None:
            if qualified.startswith("CONSTANTS."):
                return self._attributes.constant(qualified)
            return ScriptFunction(qualified)
        return self._member(self._value(owner, scope, place), name)

    def _member(self, owner: Any, name: str) -> Any:
        if not isinstance(owner, ScriptObject):
            return ScriptMethod(owner, name)
        if name in owner.state or name == "training":
            return self._attributes.get(owner, name)
        return ScriptMethod(owner, name)

    def _call(self, node: ast.Call, scope: dict[str, Any], place: Place) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id not in scope:
            return self._builtin(node.func.id, node, scope, place)
        function = self._value(node.func, scope, place)
        given = tuple(self._value(part, scope, place) for part in node.args)
        named = {k.arg: k.value for k in node.keywords if k.arg is not None}
        keywords = {key: self._value(v, scope, place) for key, v in named.items()}
        if isinstance(function, ScriptMethod):
            return self._bound_call(function, given, place)
        if not isinstance(function, ScriptFunction):
            raise NotFollowed("its code calls something that only a run would tell")
        if function.name.startswith("__torch__."):
            definition = self._code.function(function.name)
            if definition is None:
                name = function.name.rpartition(".")[2]
                raise NotFollowed(f"its code makes an object of the class {name!a}")
            return self._body(definition, given, keywords, place)
        return self._of_torch(function.name, given, keywords, place)

    def _bound_call(
        self, function: ScriptMethod, given: tuple[Any, ...], place: Place
    ) -> Any:
        owner = function.owner
        if not isinstance(owner, ScriptObject):
            raise NotFollowed(f"its code calls a method {function.name!a} of no module")
        if owner.path == place.path:
            return self._method(owner, function.name, given, place)
        inside = Place(owner.path, torch_class(owner), place.depth)
        read = tensors_of(given)
        if is_leaf(owner) and read:
            like = leaf_result(owner, read)
            return self._recorder.opaque(read, inside.label, owner.path, like)
        if not owner.class_name.startswith(NN):
            return self._method(owner, function.name, given, inside)
        try:
            return self._method(owner, function.name, given, inside)
        except NotFollowed:
            if not read:
                raise
            # What a module of torch's own does is at least one operation.
            return self._recorder.opaque(read, inside.label, owner.path)

    def _builtin(
        self, name: str, node: ast.Call, scope: dict[str, Any], place: Place
    ) -> Any:
        if name in _TYPED and len(node.args) == 2:
            return self._value(node.args[1], scope, place)
        if name in {"uninitialized", "isinstance"}:
            return UNKNOWN
        given = tuple(self._value(part, scope, place) for part in node.args)
        if name == "getattr" and len(given) == 2 and isinstance(given[1], str):
            return self._member(given[0], given[1])
        return builtin_call(name, given)

    def _of_torch(
        self,
        qualified: str,
        given: tuple[Any, ...],
        keywords: dict[str, Any],
        place: Place,
    ) -> Any:
        space, _, name = qualified.rpartition(".")
        if name == "RaiseException":
            raise NotFollowed("its code refuses such inputs")
        read = tensors_of([given, keywords])
        if space not in {"torch", "ops.prim", "ops.aten"}:
            if any(tensor.stored for tensor in read):
                raise NotFollowed(f"{qualified!a} may change stored tensors")
            return self._recorder.opaque(read, name, place.path)
        whole = bool(given) and isinstance(given[0], ScriptTensor)
        told = size_call(name, given[0], given[1:]) if whole else None
        if told is not None:
            return told
        lists = name in {"append", "len", "__is__", "__isnot__", "list", "format"}
        if not read or lists or space == "ops.prim":
            return scalar_call(name, given)
        label = place.label or name
        return self._recorder.call(name, given, keywords, label, place.path)

    def _parts(self, tensor: ScriptTensor, count: int) -> list[ScriptTensor]:
        return self._recorder.parts(tensor, count)
