"""Licences by their SPDX identifiers; nothing here knows what a licence permits."""

from collections.abc import Iterable

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from harness.schema.vocabulary import UNSTATED_LICENCE, UNSTATED_LICENCE_MEANING


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


def licence_words(licence: str) -> str:
    """Licence as pages and cards show it: figures without one are facts quoted from their source.

    >>> licence_words("Apache-2.0"), licence_words("NOASSERTION")
    ('Apache-2.0', 'NOASSERTION: facts quoted from the source, which states no licence')
    """
    return f"{licence}: {UNSTATED_LICENCE_MEANING}" if licence == UNSTATED_LICENCE else licence


def joined_licences(licences: Iterable[str]) -> str:
    """Licences of several sources as one line: an SPDX expression, then what has no licence.

    NOASSERTION is no licence, so that SPDX does not admit it in an expression.

    Source:
        SPDX Specification 2.3, annex D (licence expressions) and clause 8.5 (NOASSERTION in place of one).

    >>> joined_licences(["CC-BY-4.0", "Apache-2.0"])
    'Apache-2.0 AND CC-BY-4.0'
    >>> joined_licences(["NOASSERTION", "Apache-2.0"])
    'Apache-2.0; NOASSERTION: facts quoted from the source, which states no licence'
    """
    found = sorted(set(licences))
    parts = [" AND ".join(licence for licence in found if licence != UNSTATED_LICENCE)]
    parts += [licence_words(licence) for licence in found if licence == UNSTATED_LICENCE]
    return "; ".join(part for part in parts if part)
