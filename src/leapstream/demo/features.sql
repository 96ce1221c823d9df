CREATE TEMPORARY TABLE Features (
  feature1 DOUBLE,
  feature2 INT,
  feature3 DOUBLE,
  feature_timestamp TIMESTAMP(3)
) WITH (
  'connector' = 'datagen',
  'number-of-rows' = '10',
  'fields.feature1.min' = '0',
  'fields.feature1.max' = '1',
  'fields.feature2.min' = '0',
  'fields.feature2.max' = '100',
  'fields.feature3.min' = '0',
  'fields.feature3.max' = '1'
);

SELECT
  Predict(feature1, feature2, feature3) AS prediction,
  Predictv2(feature1) AS prediction2
FROM Features;
