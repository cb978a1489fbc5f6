"""The 31 mainland provinces, autonomous regions and municipalities (GB/T 2260, ISO 3166-2:CN).

``column`` and ``row`` place each on a tile grid: one equal tile a province, no boundary drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from driveaway.values.errors import BadValue


class Province(NamedTuple):
    """One province: GB/T 2260 code, ISO 3166-2 code, names, place on the tile grid."""

    code: str
    iso: str
    name: str
    name_zh: str
    short: str
    column: int
    row: int


PROVINCES: Final = tuple(
    Province(*line)
    for line in (
        ("110000", "CN-BJ", "Beijing", "北京", "京", 6, 2),
        ("120000", "CN-TJ", "Tianjin", "天津", "津", 7, 2),
        ("130000", "CN-HE", "Hebei", "河北", "冀", 6, 3),
        ("140000", "CN-SX", "Shanxi", "山西", "晋", 5, 3),
        ("150000", "CN-NM", "Inner Mongolia", "内蒙古", "蒙", 5, 2),
        ("210000", "CN-LN", "Liaoning", "辽宁", "辽", 8, 2),
        ("220000", "CN-JL", "Jilin", "吉林", "吉", 8, 1),
        ("230000", "CN-HL", "Heilongjiang", "黑龙江", "黑", 8, 0),
        ("310000", "CN-SH", "Shanghai", "上海", "沪", 8, 5),
        ("320000", "CN-JS", "Jiangsu", "江苏", "苏", 7, 4),
        ("330000", "CN-ZJ", "Zhejiang", "浙江", "浙", 7, 5),
        ("340000", "CN-AH", "Anhui", "安徽", "皖", 6, 5),
        ("350000", "CN-FJ", "Fujian", "福建", "闽", 7, 6),
        ("360000", "CN-JX", "Jiangxi", "江西", "赣", 6, 6),
        ("370000", "CN-SD", "Shandong", "山东", "鲁", 7, 3),
        ("410000", "CN-HA", "Henan", "河南", "豫", 6, 4),
        ("420000", "CN-HB", "Hubei", "湖北", "鄂", 5, 5),
        ("430000", "CN-HN", "Hunan", "湖南", "湘", 5, 6),
        ("440000", "CN-GD", "Guangdong", "广东", "粤", 6, 7),
        ("450000", "CN-GX", "Guangxi", "广西", "桂", 5, 7),
        ("460000", "CN-HI", "Hainan", "海南", "琼", 5, 8),
        ("500000", "CN-CQ", "Chongqing", "重庆", "渝", 4, 5),
        ("510000", "CN-SC", "Sichuan", "四川", "川", 3, 5),
        ("520000", "CN-GZ", "Guizhou", "贵州", "黔", 4, 6),
        ("530000", "CN-YN", "Yunnan", "云南", "滇", 3, 6),
        ("540000", "CN-XZ", "Tibet", "西藏", "藏", 1, 5),
        ("610000", "CN-SN", "Shaanxi", "陕西", "陕", 4, 4),
        ("620000", "CN-GS", "Gansu", "甘肃", "甘", 3, 3),
        ("630000", "CN-QH", "Qinghai", "青海", "青", 2, 4),
        ("640000", "CN-NX", "Ningxia", "宁夏", "宁", 4, 3),
        ("650000", "CN-XJ", "Xinjiang", "新疆", "新", 1, 3),
    )
)
BY_CODE: Final = {p.code: p for p in PROVINCES}


def province_code(text: str, regions: Mapping[str, str] | None = None) -> str:
    """Read a province: its GB/T 2260 or ISO 3166-2 code, or its name in English or Chinese.

    Args:
        text: as given at a door.
        regions: further code → name, for launches elsewhere.

    Raises:
        BadValue: there is none.
    """
    wanted = text.strip().lower()
    for province in PROVINCES:
        if wanted in (province.code, province.iso.lower(), province.name.lower(), province.name_zh):
            return province.code
    for code, name in (regions or {}).items():
        if wanted in (code.lower(), name.lower()):
            return code
    raise BadValue(
        f"{text!r} is not a province",
        code="province.unknown",
        remedy="use a GB/T 2260 code such as 440000, or a name such as Guangdong or 广东",
    )
