from boundkit.layers.placeholders import holding, nameless


def test_a_module_holds_parameters_without_numbers():
    found = dict(holding({"a.b.weight": (2, 3), "a.bias": (2,)}).named_parameters())

    assert {name: tuple(p.shape) for name, p in found.items()} == {
        "a.b.weight": (2, 3),
        "a.bias": (2,),
    }
    assert all(p.is_meta for p in found.values())


def test_a_call_that_is_never_run_bears_its_name():
    assert nameless("aten.conv2d.default").__name__ == "aten.conv2d.default"
