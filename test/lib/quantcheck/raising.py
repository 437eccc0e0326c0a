"""What is not accepted raises an error of its kind."""

from quantmlir import QuantError


def raises(kind, call, *words):
    """The error, of exactly `kind`, that holds all `words`."""
    try:
        call()
    except QuantError as error:
        assert type(error) is kind, (type(error), error)
        for word in words:
            assert word in str(error), (word, str(error))
        return error
    raise AssertionError(f"nothing was raised where {words} was expected")
