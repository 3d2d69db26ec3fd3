"""What a user can mend: one sentence that says what is wrong, where, the number, and what to do."""


class CrystalError(ValueError):
    """A crystal, a file or a setting that the user can put right; its text is shown on the page as it is."""


class ConfigError(CrystalError):
    """A setting outside its bounds, or a name that is not among the choices."""


class IsolatedAtomError(CrystalError):
    """An atom of a crystal has no neighbor within the cutoff."""


class DatasetError(CrystalError):
    """A set of crystals that cannot be loaded, or is too small for what is asked of it."""


class RunError(CrystalError):
    """A run that does not exist, or is in no state for what is asked of it."""
