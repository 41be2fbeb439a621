# shellcheck shell=bash disable=SC2154
# The part of ops/bench/run that measures the matcher; $root, $tools, $work and $BELFRY_BIN are set there.
counts=${2:-10,1000,10000,100000}
rounds=${3:-3}

if ! command -v python3 >/dev/null || [ ! -f "$tools/rules/gen.py" ]; then
    "$BELFRY_BIN" bench match --counts "$counts"
    return
fi

events=$tools/rules/events.jsonl
python3 "$tools/rules/gen.py" "$work"
jackson=/usr/share/java/jackson-core.jar:/usr/share/java/jackson-databind.jar:/usr/share/java/jackson-annotations.jar
java=
if command -v java >/dev/null && [ -f /usr/share/java/jackson-databind.jar ]; then java=1; fi
[ -n "$java" ] || echo "without java and libjackson2-databind-java there is nothing to compare with" >&2

for round in $(seq "$rounds"); do
    echo "round $round of $rounds" >&2
    [ -z "$java" ] || java -cp "$jackson" "$tools/rules/JacksonBench.java" "$events" | sed 's/^/jackson 0 /' >>"$work/others"
    for count in ${counts//,/ }; do
        "$BELFRY_BIN" bench match --rules "$work/rules-$count.jsonl" --events "$events" --output json >>"$work/belfry"
        [ -z "$java" ] || [ -z "${EVENT_RULER:-}" ] ||
            java -cp "$EVENT_RULER:$jackson" "$root/ops/bench/EventRulerBench.java" "$work/rules-$count.jsonl" "$events" |
            sed "s/^/event-ruler $count /" >>"$work/others"
    done
done
touch "$work/others"
python3 "$root/ops/bench/match.py" "$work/belfry" "$work/others"
