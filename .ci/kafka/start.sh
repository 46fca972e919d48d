#!/usr/bin/env bash
# start.sh DIR PORT: a real Apache Kafka, one KRaft node, without Docker.
#
# Needs Java 17 and Maven; the jars come from Maven Central (pom.xml). Everything
# it writes is in DIR, and a DIR used before goes on with its topics.
# Listeners on 127.0.0.1:  PORT    plain text
#                          PORT+1  KRaft controller
#                          PORT+2  TLS with SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
# Returns when clients can connect; DIR/env then has what the tests want to know:
#   . DIR/env && go test ./... -run Kafka
set -euo pipefail

if [[ $# -ne 2 || ! $2 =~ ^[0-9]+$ ]]; then
    echo "usage: $0 DIR PORT" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
port=$2
user=kilim
password=kilim-secret
store_password=not-a-secret # of a key that is made for this folder and used nowhere else
timeout=${KAFKA_START_TIMEOUT:-90}

if [[ -f $dir/pid ]] && kill -0 "$(<"$dir/pid")" 2>/dev/null; then
    echo "start.sh: Kafka runs already in $dir (process $(<"$dir/pid"))" >&2
    exit 1
fi
for p in "$port" $((port + 1)) $((port + 2)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; then
        echo "start.sh: port $p is taken" >&2
        exit 1
    fi
done

if [[ ! -s $dir/classpath ]]; then
    mvn -q -B -f "$here/pom.xml" dependency:build-classpath "-Dmdep.outputFile=$dir/classpath.new" >&2
    mv "$dir/classpath.new" "$dir/classpath"
fi
classpath=$(<"$dir/classpath")

if [[ ! -f $dir/broker.p12 ]]; then
    keytool -genkeypair -alias broker -keyalg EC -groupname secp256r1 -validity 3650 \
        -dname CN=localhost -ext san=dns:localhost,ip:127.0.0.1 -ext bc:c=ca:true \
        -keystore "$dir/broker.p12" -storetype PKCS12 -storepass "$store_password" 2>/dev/null
    keytool -exportcert -rfc -alias broker -file "$dir/ca.pem" \
        -keystore "$dir/broker.p12" -storepass "$store_password" 2>/dev/null
fi

cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1)),SASL_SSL://127.0.0.1:$((port + 2))
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SASL_SSL://127.0.0.1:$((port + 2))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/log

ssl.keystore.location=$dir/broker.p12
ssl.keystore.password=$store_password
ssl.keystore.type=PKCS12
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_$user="$password";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;

auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
PROPERTIES

java_=(java -Xmx512m -cp "$classpath" -Dorg.slf4j.simpleLogger.defaultLogLevel=info)
if [[ ! -f $dir/log/meta.properties ]]; then
    if ! "${java_[@]}" kafka.tools.StorageTool format --config "$dir/server.properties" \
        --cluster-id "$("${java_[@]}" kafka.tools.StorageTool random-uuid 2>/dev/null)" \
        --add-scram "SCRAM-SHA-256=[name=$user,password=$password]" \
        --add-scram "SCRAM-SHA-512=[name=$user,password=$password]" >"$dir/format.log" 2>&1; then
        echo "start.sh: formatting $dir/log failed:" >&2
        tail -n 20 "$dir/format.log" >&2
        exit 1
    fi
fi

# A session of its own: an interrupt at the terminal is for the tests, not for Kafka.
setsid "${java_[@]}" kafka.Kafka "$dir/server.properties" >"$dir/kafka.log" 2>&1 </dev/null &
pid=$!
echo "$pid" >"$dir/pid"

for ((i = 0; i < timeout * 5; i++)); do
    if grep -q 'Kafka Server started' "$dir/kafka.log"; then
        cat >"$dir/env" <<ENV
export KILIM_KAFKA=127.0.0.1:$port
export KILIM_KAFKA_SASL=127.0.0.1:$((port + 2))
export KILIM_KAFKA_CA='$dir/ca.pem'
export KILIM_KAFKA_USER=$user
export KILIM_KAFKA_PASSWORD=$password
ENV
        echo "Kafka runs on 127.0.0.1:$port (process $pid, log $dir/kafka.log); . $dir/env for the tests"
        exit 0
    fi
    if ! kill -0 "$pid" 2>/dev/null; then
        echo "start.sh: Kafka ended while starting:" >&2
        tail -n 30 "$dir/kafka.log" >&2
        rm -f "$dir/pid"
        exit 1
    fi
    sleep 0.2
done
echo "start.sh: Kafka did not start within $timeout s:" >&2
tail -n 30 "$dir/kafka.log" >&2
"$here/stop.sh" "$dir" >&2
exit 1
