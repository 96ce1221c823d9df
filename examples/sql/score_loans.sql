-- Scores a file of loans, and shows the riskiest of those that the model grants. Run it in this folder with
--   leapstream sql -c application.conf score_loans.sql
-- or on a cluster, with --target host:port.
SET 'execution.runtime-mode' = 'batch';

CREATE TEMPORARY TABLE Loans (
  id INT,
  state STRING,
  home STRING,
  amount DOUBLE,
  income DOUBLE,
  age INT,
  late BIGINT,
  flag BOOLEAN
) WITH (
  'connector' = 'filesystem',
  'path' = '../../src/leapstream/demo/loans.csv',
  'format' = 'csv'
);

CREATE TEMPORARY VIEW Scored AS
SELECT id, score.prediction AS prediction, score.probability[2] AS granted
FROM (SELECT id, ScoreLoan(state, home, amount, income, age, late, flag) AS score FROM Loans);

SELECT id, granted
FROM Scored
WHERE prediction = 1
ORDER BY granted
LIMIT 5;
