"""Licences by their SPDX identifiers; nothing here knows what a licence permits."""

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression


def spdx_of(licence: str) -> str | None:
    """Licence as the SPDX list spells it; None where the list does not have it, as for a reference to one's own text.

    Source:
        SPDX License List, as the package `packaging` has it.

    >>> spdx_of("cc-by-4.0"), spdx_of("FREE-4.0"), spdx_of("LicenseRef-Mine")
    ('CC-BY-4.0', None, None)
    """
    try:
        spelt = str(canonicalize_license_expression(licence))
    except InvalidLicenseExpression:
        return None
    return None if "licenseref-" in spelt.lower() else spelt
