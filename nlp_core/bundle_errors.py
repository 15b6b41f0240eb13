"""What can go wrong with a model bundle, as a tree.

BundleError
├── BundleMissing      nothing was composed at this place
├── BundleDamaged      files and checksums differ, or the folder holds what no bundle may hold
└── ComposeError       set-up cannot compose the bundle
    ├── BaseMissing    the package with the base weights is not installed
    ├── BaseMismatch   its files are not the ones this bundle was made for
    └── DiskFull       no room for the composed files
"""


class BundleError(Exception):
    """A model bundle cannot be used; the message says which and why."""


class BundleMissing(BundleError):
    """Nothing was composed at this place."""


class BundleDamaged(BundleError):
    """Files and checksums differ, or the folder holds what no bundle may hold."""


class ComposeError(BundleError):
    """Set-up cannot compose the bundle."""


class BaseMissing(ComposeError):
    """The package with the base weights, or a file of it, is not installed."""


class BaseMismatch(ComposeError):
    """A file of the base package is not the one this bundle was made for."""


class DiskFull(ComposeError):
    """No room for the composed files."""
