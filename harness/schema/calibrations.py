"""What `deepen calibrate` found: how well a device's energies are predicted from its rows, and what to measure next."""

from typing import Annotated, Literal

from pydantic import Field

from harness.schema import quantities as q
from harness.schema.outputs import Count, Millijoules, Output, Share
from harness.schema.results import Interval, Subject

Percent = Annotated[float, Field(ge=0, json_schema_extra={"unit": "%"})]


class HeldOutError(Output):
    """Error on rows of the device that were held out, each in turn, of one kernel type or of all."""

    kernel: str = Field(description="Kernel type, or `all`.")
    n: Count = Field(description="Rows that were held out.")
    within_10: Share = Field(description="Share that is predicted within 10 %; a row that is not covered is a miss.")
    within_10_ci95: Interval | None = Field(description="95 % interval of that share; null where rows are too few.")
    median_error_percent: Percent | None = Field(description="Median of the errors, from the logarithm of the ratio.")
    covered_90: Share | None = Field(description="Share of the energies that lie in the 90 % intervals.")


class Tried(Output):
    """One way to predict the device."""

    predictor: str = Field(description="Key of the predictor.")
    uses_others: bool = Field(description="Whether it is fitted on rows of other devices too.")
    reason: str = Field(description="Why it cannot be used; empty where it can.")
    errors: list[HeldOutError] = Field(description="Errors by kernel type, `all` first; none where it cannot be used.")


class FurtherKernel(Output):
    """A kernel that would help most if it were measured."""

    kernel: q.KernelName
    input: str = Field(description="What it reads.")
    cout: int | None = Field(description="Output channels; null where its type has none.")
    variance_left: Share = Field(
        description="Share of the variance of the reference networks' kernels that is left when it is measured as well."
    )


class MeasuredNetwork(Output):
    """A network of the system that was measured as a whole."""

    model: str = Field(description="Name of the network, which is that of its file.")
    energy_mj: Millijoules = Field(description="Measured energy of one inference.")
    sum_mj: Millijoules = Field(description="Sum of the predicted energies of its kernels.")


class CalibrationOutput(Output):
    """What `deepen calibrate --format json` prints."""

    schema_version: Literal[1] = Field(1, description="Version of this layout.")
    subject: Subject = Field(description="System and way of running.")
    n_rows: int = Field(ge=1, description="Kernel rows of it.")
    n_rows_of_others: Count = Field(description="Rows of other devices that are like enough to be of use.")
    others: list[q.DeviceId] = Field(description="Those devices.")
    chosen: int = Field(ge=0, description="Place of the way with the least error among those that were tried.")
    tried: list[Tried] = Field(min_length=1, description="Ways that were tried.")
    networks: list[MeasuredNetwork] = Field(description="Networks that were named, and measured as a whole.")
    network_factor: float | None = Field(
        description="What sums over kernels are multiplied by; null where fewer than two networks tell it."
    )
    missing: list[str] = Field(description="Kernel types that reference networks run, and that no row is of.")
    further: list[FurtherKernel] = Field(description="Kernels that would help most, the best first.")
    variance_left: Share | None = Field(
        description="Share of the variance of the reference networks' kernels that the rows leave; null where unknown."
    )

    @property
    def best(self) -> Tried:
        """The way that was chosen."""
        return self.tried[self.chosen]
