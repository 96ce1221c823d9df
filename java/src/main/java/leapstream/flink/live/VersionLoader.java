package leapstream.flink.live;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;

/**
 * The class loader of a version: its generated classes come from its own jar, which all versions have under the same names, and
 * everything else from the job.
 */
final class VersionLoader extends URLClassLoader {

    private static final String[] OWN = {"leapstream.models.", "leapstream.generated."};

    VersionLoader(File jar, ClassLoader parent) throws IOException {
        super(new URL[] {jar.toURI().toURL()}, parent);
    }

    @Override
    protected Class loadClass(String name, boolean resolve) throws ClassNotFoundException {
        for (int i = 0; i < OWN.length; i++) {
            if (name.startsWith(OWN[i])) {
                synchronized (getClassLoadingLock(name)) {
                    Class found = findLoadedClass(name);
                    return found == null ? findClass(name) : found;
                }
            }
        }
        return super.loadClass(name, resolve);
    }

    @Override
    public URL getResource(String name) {
        // Nothing from above: the data of another version would have the same name.
        return findResource(name);
    }

    @Override
    public InputStream getResourceAsStream(String name) {
        URL found = findResource(name);
        try {
            return found == null ? null : leapstream.runtime.Data.open(found);
        } catch (IOException e) {
            return null;
        }
    }
}
