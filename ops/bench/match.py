# Medians of what ops/bench/match.sh has measured. Arguments: Belfry's answers (JSON, one a line), and what others printed
# ("NAME RULES EVENT BYTES B MICROSECONDS us/event").
import json, statistics, sys

belfry, sets, others = {}, {}, {}
for line in open(sys.argv[1]):
    answer = json.loads(line)
    sets.setdefault(answer["rules"], []).append((answer["compile_s"], answer["parse_s"], answer["bytes_per_rule"]))
    for event in answer["events"]:
        key = (answer["rules"], event["event"])
        belfry.setdefault(key, []).append((event["cpu_us_per_event"], event["matches"]))
for line in open(sys.argv[2]):
    name, rules, *event, _bytes, _unit, spent, _ = line.split()
    others.setdefault((name, int(rules), " ".join(event)), []).append(float(spent))


def median(values):
    return statistics.median(values) if values else None


def show(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


print(f"{'rules':>7}  {'event':<26} {'matches':>7} {'belfry µs':>10} {'readTree µs':>11} {'ratio':>6} {'event-ruler µs':>14} {'times faster':>12}")
for (rules, event), rows in belfry.items():
    spent = median([row[0] for row in rows])
    tree = median(others.get(("jackson", 0, event)))
    ruler = median(others.get(("event-ruler", rules, event)))
    print(f"{rules:>7}  {event:<26} {rows[0][1]:>7} {show(spent):>10} {show(tree):>11} "
          f"{show(tree and spent / tree):>6} {show(ruler):>14} {show(ruler and ruler / spent):>12}")
for rules, rows in sets.items():
    compiled, parsed, size = (median(column) for column in zip(*rows))
    print(f"{rules} rules: compiled in {compiled:.3f} s (patterns read in {parsed:.3f} s), {size:.0f} bytes a rule")
