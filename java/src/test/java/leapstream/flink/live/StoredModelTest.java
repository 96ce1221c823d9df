package leapstream.flink.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredModelTest {

    private StoredModel model;

    @BeforeEach
    void writeAlias(@TempDir Path folder) throws IOException {
        Path model = Files.createDirectory(folder.resolve("loans"));
        Files.writeString(model.resolve("live.json"), "{\"format\": 1, \"version\": \"7\", \"sha256\": \"x\"}");
        this.model = new StoredModel("flaky://" + model, "live", null, 1000);
        FlakyFiles.readings = 0;
    }

    @Test
    void anAliasThatIsReplacedWhileItIsOpenedIsReadAgainAtOnce() throws IOException {
        FlakyFiles.failures = 2;
        assertEquals("7", model.selection().toString());
        assertEquals(3, FlakyFiles.readings);
    }

    @Test
    void anAliasThatCannotBeReadThreeTimesFails() {
        FlakyFiles.failures = 3;
        assertThrows(IOException.class, () -> model.selection());
        assertEquals(3, FlakyFiles.readings);
    }

    @Test
    void shadowsOfTheJobComeBeforeThoseOfTheAliasAndNoneTwice() throws IOException {
        byte[] alias = ("{\"format\": 2, \"versions\": [{\"version\": \"7\", \"weight\": 1}], \"shadow\": "
                        + "[{\"version\": \"8\"}, {\"version\": \"9\"}]}")
                .getBytes("UTF-8");
        Selection selection = Selection.parse(alias, "live").with(new String[] {"9", "7", "6"});
        assertEquals("7, shadow 9, shadow 6, shadow 8", selection.toString());
    }
}
