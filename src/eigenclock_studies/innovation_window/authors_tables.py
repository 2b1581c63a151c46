"""What the authors of arXiv:2605.10019 state in their public repository: settings, and clocks of their runs. Facts only.

Tables of memory clocks (`mem_scaling_table`), of rule clocks (`parity_onset_table_v2`, `GPT_parity_solve_steps`); conventions in
its README. Runs of DiT-mini unless said; steps of batches of 256.
"""

D = 36
SETTINGS = (
    "Theirs: 36 bits as a 6×6 image of ±1, contiguous groups, EDM with σ_data = 1 and ln σ ~ N(−1.2, 1.2²), Adam 1e-4, batches "
    "of 256 with replacement, 1,000,000 steps, Heun 35 from 80 to 0.002, 2,048 samples; a sample counts only if every bit is "
    "within 0.1 of ±1. Rule clock: first of 5 evaluations in a row with accuracy > .90, copies counted; memory clock: of 5 with "
    "exact copies > .10 + N/support."
)

MEMORY_SLOPE = {"DiT-mini": 1.14, "GPT-mini": 0.97}
"""Fitted slope of ln memory clock on ln N, all rules together."""

RULE = {
    ("DiT-mini", 1024): {2: 1028, 3: 9352, 4: 29_456, 6: 550_560},
    ("DiT-mini", 4096): {2: 1076, 3: 13_072, 4: 54_608},
    ("DiT-mini", 16_384): {2: 1044, 3: 13_328, 4: 55_120, 6: 332_448},
    ("DiT-nano", 4096): {2: 1284, 3: 12_816, 4: 104_096},
    ("GPT-mini", 4096): {2: 62, 3: 308, 4: 1700, 6: 9352},
    ("GPT-mini", 32_768): {2: 74, 3: 308, 4: 11_536, 6: 76_624},
}
"""Steps to accuracy > .90, by model, N and bits per group."""

MEMORY = {
    ("DiT-mini", 1024): {2: 80_208, 3: 104_096, 4: 107_168, 6: 105_120},
    ("DiT-mini", 2048): {2: 176_800, 3: 212_640, 4: 292_512, 6: 241_312},
    ("DiT-mini", 4096): {2: 343_712, 3: 472_736, 4: 572_064, 6: 521_888},
    ("GPT-mini", 4096): {6: 6280},
    ("GPT-mini", 32_768): {6: 46_864},
}
"""Steps to copies > .10 + N/support, by model, N and bits per group."""

LARGEST_OVER_SMALLEST = 1.66
"""Memory clocks over all rules, N = 4,096."""


def theirs(clocks: dict[tuple[str, int], dict[int, int]], model: str, n: int, group: int) -> str:
    """A clock of theirs in words; "–" where their tables have none."""
    found = clocks.get((model, n), {}).get(group)
    return "–" if found is None else f"{found:,}"
