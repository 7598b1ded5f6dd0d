import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs one Elasticsearch node: java Main HOME. Its settings are in HOME/config/elasticsearch.yml.
 *
 * The port in use is written to HOME/port once the node listens.
 * The node lives as long as its standard input is open, so that it never outlives the process that
 * started it, however that one ended.
 */
public final class Main {
    public static void main(String[] arguments) {
        try {
            run(arguments);
            System.exit(0);
        } catch (Exception error) {
            // Threads of a half-started node would keep the process alive.
            error.printStackTrace();
            System.exit(1);
        }
    }

    private static void run(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        Node node = new Node(environment(home), loader(home));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        announce(home, node);
        waitForEnd(System.in);
    }

    private static Environment environment(Path home) {
        Settings settings = Settings.builder().put("path.home", home.toString()).build();
        LogConfigurator.configureESLogging();
        return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "node-1");
    }

    private static PluginsLoader loader(Path home) {
        return PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(home.resolve("modules")),
            PluginsLoader.loadPluginsBundles(home.resolve("plugins")),
            Map.of(),
            false
        );
    }

    /** Written aside and moved, so that a reader never sees half a number. */
    private static void announce(Path home, Node node) throws Exception {
        int port = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().getPort();
        Path draft = Files.writeString(home.resolve("port.draft"), Integer.toString(port));
        Files.move(draft, home.resolve("port"), StandardCopyOption.ATOMIC_MOVE);
    }

    private static void waitForEnd(InputStream input) throws Exception {
        while (input.read() >= 0) {
            continue;
        }
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (Exception error) {
            error.printStackTrace();
        }
    }
}
