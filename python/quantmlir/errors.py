"""What goes wrong, typed."""


class QuantError(Exception):
    """Anything that this package refuses.

    Attributes:
        diagnostics: what the compiler said, a string each, in order:
            ``file:line:column: error: text``. Empty where it said nothing.
    """

    def __init__(self, message, diagnostics=()):
        super().__init__(message)
        self.diagnostics = list(diagnostics)


class InvalidArgument(QuantError, ValueError):
    """A tensor, an option or a name is not what was expected."""


class FileError(QuantError, OSError):
    """A file cannot be read or written, or is not what it has to be."""


class ModelStopped(QuantError, RuntimeError):
    """The model stopped itself: sizes of the inputs do not fit each other."""


class OutOfMemory(QuantError, MemoryError):
    """A result or a copy does not fit in memory."""


class CompileError(QuantError):
    """The compiler does not accept the program."""


class MissingPackage(QuantError, ImportError):
    """A kind of input needs a package that is not installed."""
