"""Kinds about one car. Subject: VIN."""

from __future__ import annotations

from typing import Literal

from driveaway.facts.base import Body, Name, Province


class ControlUnit(Body, frozen=True, kw_only=True):
    """An electronic control unit (ECU) as it left the line."""

    name: Name
    hardware: Name
    software: Name
    serial: Name | None = None


class CarBuilt(Body, frozen=True, kw_only=True):
    """The car left the line, described as built: a later recall inside one trim rests on this.

    ``battery_code`` is that of the pack by GB/T 34014; ``purpose`` says whether it was
    built for orders, or as stock, demonstration or test car (these are never pegged).
    """

    plant: Name
    line: Name | None = None
    trim: Name
    colour: Name | None = None
    options: tuple[Name, ...] = ()
    ecus: tuple[ControlUnit, ...] = ()
    battery_maker: Name | None = None
    battery_code: Name | None = None
    purpose: Literal["order", "stock", "demonstration", "test"] = "order"


class CarShipped(Body, frozen=True, kw_only=True):
    """The car left the plant for a delivery centre."""

    province: Province | None = None
    city: Name | None = None
    outlet: Name | None = None
    carrier: Name | None = None


class CarPegged(Body, frozen=True, kw_only=True):
    """The car was assigned to an order; a car has one order at a time."""

    order: Name


class CarUnpegged(Body, frozen=True, kw_only=True):
    """The car was taken from its order and is free for the next compatible one."""

    order: Name
    reason: Literal["cancelled", "damaged", "rejected", "changed", "other"]


class CarReturned(Body, frozen=True, kw_only=True):
    """The buyer gave the car back after handover."""

    order: Name
    reason: Name | None = None
