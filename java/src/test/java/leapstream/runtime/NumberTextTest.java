package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

class NumberTextTest {

    @Test
    void numbersHaveTheTextOfJava17WhateverJavaRuns() {
        assertEquals("5.6843418860808015E-14", NumberText.of(Math.scalb(1.0, -44)));
        assertEquals("9.999999999999999E22", NumberText.of(1e23));
        assertEquals("2.14748365E9", NumberText.of(2147483648f));
    }

    @Test
    void numbersArePlainFromAThousandthToTenMillions() {
        assertEquals("0.001", NumberText.of(0.001));
        assertEquals("9.999E-4", NumberText.of(0.0009999));
        assertEquals("9999999.0", NumberText.of(9999999.0));
        assertEquals("1.0E7", NumberText.of(1e7));
        assertEquals("16777.0", NumberText.of(16777f));
    }

    @Test
    void zerosInfinitiesAndNaNHaveTheirNames() {
        assertEquals("0.0", NumberText.of(0.0));
        assertEquals("-0.0", NumberText.of(-0.0));
        assertEquals("-0.0", NumberText.of(-0.0f));
        assertEquals("NaN", NumberText.of(Double.NaN));
        assertEquals("-Infinity", NumberText.of(Double.NEGATIVE_INFINITY));
        assertEquals("Infinity", NumberText.of(Float.POSITIVE_INFINITY));
    }

    @Test
    @EnabledForJreRange(max = JRE.JAVA_18)
    void olderJavasGiveTheSameTextThemselves() {
        Random random = new Random(1);
        for (int i = 0; i < 4000; i++) {
            double x = Double.longBitsToDouble(random.nextLong());
            assertEquals(Double.toString(x), NumberText.of(x));
            double power = Math.scalb(1.0, i % 2098 - 1074);
            assertEquals(Double.toString(power), NumberText.of(power));
            double whole = random.nextLong();
            assertEquals(Double.toString(whole), NumberText.of(whole));
            float y = Float.intBitsToFloat(random.nextInt());
            assertEquals(Float.toString(y), NumberText.of(y));
        }
    }
}
