"""What the package shows: complete, sorted, documented."""

import importlib
import inspect
import pkgutil

import boundkit_cli
import pytest

import boundkit

MODULES = sorted(
    module.name
    for package in (boundkit, boundkit_cli)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith("__main__")
)


def test_all_is_sorted_and_without_repeats():
    def order(name):
        return (not name.isupper(), not name[:1].isupper(), name)

    assert sorted(set(boundkit.__all__), key=order) == list(boundkit.__all__)


def test_all_is_complete():
    assert {*boundkit._HOMES, "__version__"} == set(boundkit.__all__)
    assert set(dir(boundkit)) == set(boundkit.__all__)


@pytest.mark.parametrize("name", boundkit.__all__)
def test_every_public_name_is_there_and_comes_from_where_it_is_said_to(name):
    value = getattr(boundkit, name)

    if name != "__version__":
        home = importlib.import_module(boundkit._HOMES[name])
        assert value is getattr(home, name)
        assert name in home.__all__


@pytest.mark.parametrize("name", sorted(boundkit._HOMES))
def test_every_public_class_and_function_is_documented(name):
    value = getattr(boundkit, name)

    if inspect.isclass(value) or inspect.isfunction(value):
        first = inspect.getdoc(value).splitlines()[0]
        assert first.endswith("."), first


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'rho'"):
        boundkit.rho  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_exports(name):
    module = importlib.import_module(name)

    assert module.__doc__, f"{name} has no docstring"
    if not hasattr(module, "__path__") or hasattr(module, "__all__"):
        assert all(hasattr(module, exported) for exported in module.__all__)


def test_no_stage_bears_the_name_of_a_public_function():
    packages = {module.name for module in pkgutil.iter_modules(boundkit.__path__)}

    assert packages.isdisjoint(boundkit.__all__)
