-- Rows of one topic, scored exactly once to another one.
SET 'pipeline.name' = 'loans';
SET 'execution.checkpointing.interval' = '10 s';

CREATE TEMPORARY FUNCTION Predict AS 'leapstream.models.Predict' LANGUAGE JAVA;

CREATE TEMPORARY TABLE Applications (id BIGINT, feature1 DOUBLE, feature2 DOUBLE, feature3 DOUBLE) WITH (
  'connector' = 'kafka',
  'topic' = 'applications',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'loans',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'earliest',
  'format' = 'json'
);

CREATE TEMPORARY TABLE Predictions (id BIGINT, prediction DOUBLE) WITH (
  'connector' = 'kafka',
  'topic' = 'predictions',
  'properties.bootstrap.servers' = 'kafka:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'loans',
  'properties.transaction.timeout.ms' = '600000',
  'format' = 'json'
);

INSERT INTO Predictions SELECT id, Predict(feature1, feature2, feature3) FROM Applications;
