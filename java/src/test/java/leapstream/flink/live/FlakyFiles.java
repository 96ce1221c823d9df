package leapstream.flink.live;

import java.io.IOException;
import java.net.URI;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.FileSystemFactory;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.local.LocalFileSystem;

/** Local files under the scheme {@code flaky}, of which some readings fail. */
public final class FlakyFiles implements FileSystemFactory {

    static int failures;
    static int readings;

    @Override
    public String getScheme() {
        return "flaky";
    }

    @Override
    public FileSystem create(URI uri) {
        return new LocalFileSystem() {
            @Override
            public FSDataInputStream open(Path file) throws IOException {
                readings++;
                if (failures > 0) {
                    failures--;
                    throw new IOException(file + " was replaced");
                }
                return super.open(file);
            }
        };
    }
}
