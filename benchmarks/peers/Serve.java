package leapstream.bench;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;

import ml.combust.mleap.json.DefaultFrameReader;
import ml.combust.mleap.json.DefaultFrameWriter;
import ml.combust.mleap.runtime.frame.DefaultLeapFrame;

/**
 * The JDK's HTTP server around MLeap, for a model of numbers. Arguments: bundle, port, threads, prediction's column, columns.
 *
 * <p><code>/record</code> answers a flat JSON record, and <code>/rows</code> a leap frame of one row, both read and written by the few
 * lines below, with the row transformer that was made at the start. <code>/frame</code> answers a leap frame as MLeap's own servers
 * do: its reader, its transformer, its writer.
 */
public final class Serve {
    private final Form form;
    private final String[] inputs;
    private final Map positions = new HashMap();
    private final byte[] head;

    private Serve(Form form, String[] inputs, String prediction) {
        this.form = form;
        this.inputs = inputs;
        StringBuilder text = new StringBuilder("{\"schema\":{\"fields\":[");
        for (int i = 0; i < inputs.length; i++) {
            positions.put(inputs[i], Integer.valueOf(i));
            text.append("{\"name\":\"").append(inputs[i]).append("\",\"type\":\"double\"},");
        }
        text.append("{\"name\":\"").append(prediction).append("\",\"type\":\"double\"}]},\"rows\":[[");
        head = text.toString().getBytes(StandardCharsets.UTF_8);
    }

    public static void main(String[] arguments) throws Exception {
        String[] inputs = new String[arguments.length - 4];
        System.arraycopy(arguments, 4, inputs, 0, inputs.length);
        Serve serve = new Serve(new Form(arguments[0], inputs, arguments[3]), inputs, arguments[3]);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1])), 1024);
        server.createContext("/record", new Handler(serve, 0));
        server.createContext("/rows", new Handler(serve, 1));
        server.createContext("/frame", new Handler(serve, 2));
        server.setExecutor(Executors.newFixedThreadPool(Integer.parseInt(arguments[2])));
        server.start();
    }

    private byte[] record(byte[] body) {
        Object[] values = new Object[inputs.length];
        String text = new String(body, StandardCharsets.UTF_8);
        int at = text.indexOf('"');
        while (at >= 0) {
            int end = text.indexOf('"', at + 1);
            int stop = text.indexOf(',', end);
            int last = stop < 0 ? text.indexOf('}', end) : stop;
            int position = ((Integer) positions.get(text.substring(at + 1, end))).intValue();
            values[position] = Double.valueOf(text.substring(text.indexOf(':', end) + 1, last).trim());
            at = stop < 0 ? -1 : text.indexOf('"', stop);
        }
        double prediction = form.byRow(Form.row(values));
        return ("{\"prediction\":" + prediction + "}").getBytes(StandardCharsets.UTF_8);
    }

    private byte[] rows(byte[] body) {
        String text = new String(body, StandardCharsets.UTF_8);
        // The columns of the frame are those of the start, in their order.
        int start = text.indexOf('[', text.indexOf("\"rows\"")) + 2;
        String row = text.substring(start, text.indexOf(']', start));
        String[] parts = row.split(",");
        Object[] values = new Object[parts.length];
        for (int i = 0; i < parts.length; i++) {
            values[i] = Double.valueOf(parts[i]);
        }
        String answer = row + "," + form.byRow(Form.row(values)) + "]]}";
        byte[] tail = answer.getBytes(StandardCharsets.UTF_8);
        byte[] whole = new byte[head.length + tail.length];
        System.arraycopy(head, 0, whole, 0, head.length);
        System.arraycopy(tail, 0, whole, head.length, tail.length);
        return whole;
    }

    private byte[] frame(byte[] body) {
        DefaultLeapFrame given = (DefaultLeapFrame) new DefaultFrameReader().fromBytes(body, StandardCharsets.UTF_8).get();
        return (byte[]) new DefaultFrameWriter(form.transformed(given)).toBytes(StandardCharsets.UTF_8).get();
    }

    private static final class Handler implements HttpHandler {
        private final Serve serve;
        private final int kind;

        private Handler(Serve serve, int kind) {
            this.serve = serve;
            this.kind = kind;
        }

        public void handle(HttpExchange exchange) throws IOException {
            InputStream given = exchange.getRequestBody();
            byte[] body = given.readAllBytes();
            byte[] answer = kind == 0 ? serve.record(body) : kind == 1 ? serve.rows(body) : serve.frame(body);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, answer.length);
            OutputStream out = exchange.getResponseBody();
            out.write(answer);
            exchange.close();
        }
    }
}
