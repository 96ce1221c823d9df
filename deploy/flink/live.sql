-- Rows of one topic, scored by the live version of a model; those that fail go to a topic of their own.
SET 'pipeline.name' = 'live-loans';
SET 'execution.checkpointing.interval' = '10 s';

CREATE TEMPORARY TABLE Applications (id BIGINT, feature1 DOUBLE, feature2 DOUBLE, feature3 DOUBLE) WITH (
  'connector' = 'kafka',
  'topic' = 'applications',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'live-loans',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'earliest',
  'format' = 'json'
);

CREATE TEMPORARY TABLE Predictions (id BIGINT, prediction DOUBLE, model_version STRING) WITH (
  'connector' = 'kafka',
  'topic' = 'predictions',
  'properties.bootstrap.servers' = 'kafka:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'live-loans',
  'properties.transaction.timeout.ms' = '600000',
  'format' = 'json'
);

CREATE TEMPORARY TABLE DeadLetters (id BIGINT, feature1 DOUBLE, feature2 DOUBLE, feature3 DOUBLE, error STRING, model_version STRING) WITH (
  'connector' = 'kafka',
  'topic' = 'dead-letters',
  'properties.bootstrap.servers' = 'kafka:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'live-loans-dead',
  'properties.transaction.timeout.ms' = '600000',
  'format' = 'json'
);

CREATE TEMPORARY MODEL loans
INPUT (feature1 DOUBLE, feature2 DOUBLE, feature3 DOUBLE, id BIGINT)
OUTPUT (prediction DOUBLE, model_version STRING, error STRING)
WITH (
  'provider' = 'mleap',
  'store' = 's3://models/loans',
  'alias' = 'live',
  'reload-interval' = '10 s',
  'split-key' = 'id',
  'on-error' = 'row'
);

CREATE TEMPORARY VIEW Scored AS
SELECT * FROM ML_PREDICT(TABLE Applications, MODEL loans, DESCRIPTOR(feature1, feature2, feature3, id));

-- The plan reads Scored once for both, so each row is scored once.
EXECUTE STATEMENT SET BEGIN
INSERT INTO Predictions SELECT id, prediction, model_version FROM Scored WHERE error IS NULL;
INSERT INTO DeadLetters SELECT id, feature1, feature2, feature3, error, model_version FROM Scored WHERE error IS NOT NULL;
END;
