import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import software.amazon.event.ruler.Machine;

/**
 * CPU microseconds that event-ruler takes per event on one thread, its JSON text parsed each time, one line per event.
 * java -cp event-ruler.jar:jackson-core.jar:jackson-databind.jar:jackson-annotations.jar EventRulerBench.java rules.jsonl events.jsonl
 */
class EventRulerBench {
    public static void main(String[] arguments) throws Exception {
        var machine = new Machine();
        List<String> rules = Files.readAllLines(Path.of(arguments[0]));
        for (int index = 0; index < rules.size(); index++) machine.addRule("r" + index, rules.get(index));
        var mapper = new com.fasterxml.jackson.databind.ObjectMapper();
        var threads = java.lang.management.ManagementFactory.getThreadMXBean();
        for (String event : Files.readAllLines(Path.of(arguments[1]))) {
            double best = Double.MAX_VALUE;
            for (int round = 0; round < 5; round++) {
                long count = 0, start = threads.getCurrentThreadCpuTime(), end = System.nanoTime() + 600_000_000L;
                while (System.nanoTime() < end) {
                    machine.rulesForJSONEvent(event);
                    count++;
                }
                best = Math.min(best, (threads.getCurrentThreadCpuTime() - start) / 1e3 / count);
            }
            String name = mapper.readTree(event).path("event").asText();
            System.out.printf("%s %d B %.2f us/event%n", name, event.getBytes("UTF-8").length, best);
        }
    }
}
